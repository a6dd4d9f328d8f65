"""German: what exporting says, by its English words."""

from __future__ import annotations

EXPORTING = {
    "Export": "Exportieren",
    "Export as": "Exportieren als",
    "Export Motion": "Bewegung exportieren",
    "Write the motion as it is shown, with the body, into a file for another program; nothing in the scene changes":
        "Die Bewegung, wie sie zu sehen ist, samt Körper in eine Datei für ein anderes Programm schreiben; die Szene "
        "bleibt, wie sie ist",
    "Select a person of a take, or an armature.": "Eine Person einer Aufnahme auswählen, oder eine Armatur.",
    "Select a person of a take, or an armature": "Eine Person einer Aufnahme auswählen, oder eine Armatur",
    "Where it is written": "Wohin geschrieben wird",
    "Ask First": "Erst fragen",
    "Ask before a file is replaced": "Fragen, bevor eine Datei ersetzt wird",
    "Files to be replaced: {count}": "Zu ersetzende Dateien: {count}",
    "For which program, in which form": "Für welches Programm, in welcher Form",
    "All people of the take, a file each, named after them":
        "Alle Personen der Aufnahme, jede in eine eigene Datei, die nach ihr heißt",
    "FBX for Unreal": "FBX für Unreal",
    "Z up, facing -Y, centimetres, with a root bone on the ground that carries the way":
        "Z nach oben, Blick nach -Y, Zentimeter, mit einem Wurzelknochen am Boden, der den Weg trägt",
    "FBX for Unity": "FBX für Unity",
    "Y up, facing Z, at scale 1, with a root bone on the ground that carries the way":
        "Y nach oben, Blick nach Z, Größe 1, mit einem Wurzelknochen am Boden, der den Weg trägt",
    "FBX with Mixamo's Names": "FBX mit Mixamos Namen",
    "A recovered person with the bones' names that Mixamo gives, for tools that know those":
        "Eine geholte Person mit den Knochennamen, die Mixamo gibt, für Werkzeuge, die diese kennen",
    "For the web, Godot and viewers: one file with body, bones and the motion as a clip":
        "Für Web, Godot und Betrachter: eine Datei mit Körper, Knochen und der Bewegung als Clip",
    "Bones only, Y up, centimetres: nearly every animation program reads it":
        "Nur Knochen, Y nach oben, Zentimeter: fast jedes Animationsprogramm liest es",
    "Skeleton and body for film pipelines: Z up, metres":
        "Skelett und Körper für Filmpipelines: Z nach oben, Meter",
    "The body model's numbers for research programs that read AMASS's files":
        "Die Zahlen des Körpermodells für Forschungsprogramme, die Dateien von AMASS lesen",
    "Only people of a take can be exported in this format":
        "Nur Personen einer Aufnahme lassen sich in diesem Format exportieren",
    "Choose another rig, or another format.": "Ein anderes Rig oder ein anderes Format wählen.",
    "{rig} is shown in its rest position.": "{rig} ist in der Ruheposition zu sehen.",
    "Choose Pose Position in the armature's properties.":
        "In den Eigenschaften der Armatur die Posenposition wählen.",
    "{rig} has no bones.": "{rig} hat keine Knochen.",
    "Choose another armature.": "Eine andere Armatur wählen.",
    "This Blender was built without USD.": "Dieses Blender wurde ohne USD gebaut.",
    "Use a Blender from blender.org, or export as FBX or glTF.":
        "Ein Blender von blender.org nehmen, oder als FBX oder glTF exportieren.",
    "Blender's add-on for {format} is switched off.": "Blenders Add-on für {format} ist ausgeschaltet.",
    "Switch it on in the preferences under Add-ons.": "In den Einstellungen unter Add-ons einschalten.",
    "The file has no name.": "Die Datei hat keinen Namen.",
    "Give it one.": "Ihr einen geben.",
    "There is no folder {folder}.": "Es gibt keinen Ordner {folder}.",
    "Make it, or choose another.": "Ihn anlegen, oder einen anderen wählen.",
    "{path} is a folder.": "{path} ist ein Ordner.",
    "Choose another name.": "Einen anderen Namen wählen.",
    "Cannot export {path} ({why}).": "{path} lässt sich nicht exportieren ({why}).",
    "Choose another format, or another folder.": "Ein anderes Format oder einen anderen Ordner wählen.",
    "The disk of {folder} is full.": "Die Festplatte von {folder} ist voll.",
    "Free some space, or choose another folder.": "Platz schaffen, oder einen anderen Ordner wählen.",
    "Cannot write {path} ({why}).": "{path} lässt sich nicht schreiben ({why}).",
    "Choose a folder that can be written.": "Einen Ordner wählen, in den geschrieben werden kann.",
    "No file is chosen.": "Keine Datei ist gewählt.",
    "Choose where it is written.": "Wählen, wohin geschrieben wird.",
    "There is nobody in the active take.": "In der aktiven Aufnahme ist niemand.",
    "Choose another take.": "Eine andere Aufnahme wählen.",
    "Exported {file}": "{file} exportiert",
    "Exported {count} files into {folder}": "{count} Dateien nach {folder} exportiert",
}  # fmt: skip
