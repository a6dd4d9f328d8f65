"""German: what correcting a take says, by its English words."""

from __future__ import annotations

_PANELS = {
    "Fix": "Korrigieren",
    "Feet": "Füße",
    "Smooth": "Glätten",
    "Root": "Ganzer Körper",
    "Pins": "Pins",
    "Ground and People": "Boden und Menschen",
    "Timing": "Zeit",
    "Select a person: the armature, or its body.": "Eine Person auswählen: die Armatur oder ihren Körper.",
    "Something is being worked on: wait for it, or cancel it.":
        "Es wird gerade an etwas gearbeitet: abwarten oder abbrechen.",
    "Foot IK holds the feet as they were: add it again afterwards.":
        "Fuß-IK hält die Füße, wie sie waren: danach neu hinzufügen.",
    "Pressed: planted in this frame. Keys and markers: Dope Sheet.":
        "Gedrückt: steht in diesem Bild. Keyframes und Marker: Dope Sheet.",
    "Feet wait for being solved again.": "Die Füße müssen noch neu gelöst werden.",
    "Hips and Way": "Hüfte und Weg",
    "Spine and Head": "Rücken und Kopf",
    "Left Arm": "Linker Arm",
    "Right Arm": "Rechter Arm",
    "Left Leg": "Linkes Bein",
    "Right Leg": "Rechtes Bein",
    "Joints are pinned in a 3D viewport that looks through the take's camera.":
        "Gelenke werden in einer 3D-Ansicht gepinnt, die durch die Kamera der Aufnahme schaut.",
    "Pins: {count}, to be solved: {left}": "Pins: {count}, noch zu lösen: {left}",
    "Clear Here": "Hier löschen",
    "Clear All": "Alle löschen",
    "All Frames": "Alle Bilder",
    "Start Here": "Hier beginnen",
    "End Here": "Hier enden",
}  # fmt: skip

_BUTTONS = {
    "Plant Foot": "Fuß aufsetzen",
    "Say that this foot stands on the ground, from the current frame to where its contact changes next":
        "Festlegen, dass dieser Fuß steht, vom aktuellen Bild bis zu seinem nächsten Wechsel",
    "Lift Foot": "Fuß abheben",
    "Say that this foot is off the ground, from the current frame to where its contact changes next":
        "Festlegen, dass dieser Fuß in der Luft ist, vom aktuellen Bild bis zu seinem nächsten Wechsel",
    "Re-solve Feet": "Füße neu lösen",
    "Let the body follow its foot contacts: solves legs and way again, only around contacts that were changed":
        "Den Körper den Kontakten der Füße folgen lassen: Beine und Weg neu lösen, nur um geänderte Kontakte herum",
    "Solve the person's whole motion, whether contacts were changed or not":
        "Die ganze Bewegung der Person lösen, ob Kontakte geändert wurden oder nicht",
    "Pin Joint": "Gelenk pinnen",
    "Drag joints to where they are in the camera's picture; Re-solve Near Here makes the motion follow":
        "Gelenke dorthin ziehen, wo sie im Bild der Kamera sind; Hier neu lösen lässt die Bewegung folgen",
    "Drag a joint to where it is in the picture. Enter, Esc or right click: done":
        "Ein Gelenk dorthin ziehen, wo es im Bild ist. Eingabe, Esc oder Rechtsklick: fertig",
    "Clear Pins": "Pins löschen",
    "Take away this person's pins; what was solved with them stays":
        "Die Pins dieser Person entfernen; was mit ihnen gelöst wurde, bleibt",
    "Only Here": "Nur hier",
    "Only those of the current frame": "Nur die des aktuellen Bildes",
    "Re-solve Near Here": "Hier neu lösen",
    "Let the motion follow the pins near the current frame; the rest of it stays as it is":
        "Die Bewegung den Pins nahe dem aktuellen Bild folgen lassen; der Rest bleibt, wie er ist",
    "Solve Again": "Neu lösen",
    "Reset Root": "Zurücksetzen",
    "Height, slope and heading as they were recovered": "Höhe, Neigung und Richtung wie gewonnen",
    "Level by Feet": "Nach den Füßen",
    "Set the slope so that the places where the feet stand lie level along the way":
        "Die Neigung so setzen, dass die Stellen, an denen die Füße stehen, entlang des Weges eben liegen",
    "Trim Here": "Hier zuschneiden",
    "Let the motion start or end at the current frame; nothing is lost":
        "Die Bewegung beim aktuellen Bild beginnen oder enden lassen; nichts geht verloren",
    "Swap People From Here": "Personen ab hier tauschen",
    "Two people were taken for each other: from the current frame on each goes on as the other one":
        "Zwei wurden verwechselt: ab dem aktuellen Bild ist jede die andere",
    "With": "Mit",
    "Number of the other person; empty for the other selected one, or the only other one":
        "Nummer der anderen Person; leer für die andere ausgewählte oder die einzige andere",
    "Use This Ground": "Diesen Boden benutzen",
    "Make the moved or tilted ground the level one: people and camera turn with it, the picture stays as it is":
        "Den bewegten oder geneigten Boden zum ebenen machen: Menschen und Kamera gehen mit, das Bild bleibt",
    "Reset Ground": "Boden zurücksetzen",
    "Put the take's ground back to where it was recovered, or used last":
        "Den Boden der Aufnahme dorthin zurücksetzen, wo er gewonnen oder zuletzt benutzt wurde",
}  # fmt: skip

_CHOICES = {
    "All": "Alles",
    "Sets all parts of the body at once: 0 is the motion as recovered":
        "Setzt alle Teile des Körpers auf einmal: 0 ist die Bewegung wie gewonnen",
    "Less jitter in this part of the body: 0 is the motion as recovered. Blows and steps keep their size, planted feet "
    "stay where they are":
        "Weniger Zittern in diesem Teil des Körpers: 0 ist die Bewegung wie gewonnen. Schläge und Schritte behalten "
        "ihre Größe, stehende Füße bleiben, wo sie sind",
    "Raises or lowers the whole person": "Hebt oder senkt die ganze Person",
    "Slope": "Neigung",
    "How much more the path climbs, and the body leans with it: for a path that climbs or sinks where the floor is "
    "level":
        "Um wie viel der Weg mehr steigt, und der Körper neigt sich mit: für einen Weg, der auf ebenem Boden steigt "
        "oder sinkt",
    "Heading": "Richtung",
    "How far the person and the path turn to the left about where they begin":
        "Wie weit sich Person und Weg um ihren Anfang nach links drehen",
    "In Place": "Auf der Stelle",
    "Walks on the spot: the way over the ground is taken away, sway and steps stay":
        "Geht auf der Stelle: der Weg über den Boden fällt weg, Schwanken und Schritte bleiben",
    "Trim": "Zuschneiden",
    "Keep only a part of the motion": "Nur einen Teil der Bewegung behalten",
    "Scene frame of the first key that is kept": "Bild der Szene des ersten Keyframes, der bleibt",
    "Scene frame of the last key that is kept": "Bild der Szene des letzten Keyframes, der bleibt",
    "Loop": "Schleife",
    "Frames of the clip at the end over which it is led into its beginning, so that it repeats for ever; 0: it does "
    "not repeat":
        "Bilder des Clips am Ende, über die es in den Anfang übergeht und sich immer wiederholt; 0: keine Wiederholung",
    "Whole Foot": "Ganzer Fuß",
    "Heel and toe": "Ferse und Zehen",
    "Heel": "Ferse",
    "Only the heel: the foot turns on it": "Nur die Ferse: der Fuß dreht sich auf ihr",
    "Toe": "Zehen",
    "Only the toe: the heel is free to rise": "Nur die Zehen: die Ferse kann sich heben",
    "The left foot": "Der linke Fuß",
    "The right foot": "Der rechte Fuß",
    "From one frame to another; otherwise from the current frame to the next change":
        "Von einem Bild zu einem anderen; sonst vom aktuellen Bild bis zum nächsten Wechsel",
    "First frame of the range": "Erstes Bild des Bereichs",
    "Last frame of the range": "Letztes Bild des Bereichs",
    "The motion starts here": "Die Bewegung beginnt hier",
    "The motion ends here": "Die Bewegung endet hier",
}  # fmt: skip

_SAID = {
    "Something is being worked on: wait for it, or cancel it":
        "Es wird gerade an etwas gearbeitet: abwarten oder abbrechen",
    "Select a recovered person: the armature, or its body": "Eine Person auswählen: die Armatur oder ihren Körper",
    "Nothing to do: the foot is that way already, or the person is not there.":
        "Nichts zu tun: der Fuß ist dort schon so, oder die Person ist nicht da.",
    "Planted in frames {first} to {last}. Re-solve Feet makes the body follow.":
        "Steht in den Bildern {first} bis {last}. Füße neu lösen lässt den Körper folgen.",
    "Lifted in frames {first} to {last}. Re-solve Feet makes the body follow.":
        "In der Luft in den Bildern {first} bis {last}. Füße neu lösen lässt den Körper folgen.",
    "No contact was changed: plant or lift a foot first.":
        "Kein Kontakt wurde geändert: erst einen Fuß aufsetzen oder abheben.",
    "The take was changed while its feet were solved.": "Die Aufnahme wurde geändert, während gelöst wurde.",
    "Solve them again.": "Noch einmal lösen.",
    "{person} was solved again.": "{person} wurde neu gelöst.",
    "Keys made by hand on {person} were taken over, into {file}.":
        "Von Hand gesetzte Keyframes von {person} wurden übernommen, in {file}.",
    "This person has no pins": "Diese Person hat keine Pins",
    "No pin is near the current frame: go to where one is.":
        "Kein Pin ist nahe dem aktuellen Bild: dorthin gehen, wo einer ist.",
    "Look through the take's camera in a 3D viewport first (View, Cameras).":
        "Erst in einer 3D-Ansicht durch die Kamera der Aufnahme schauen (Ansicht, Kameras).",
    "There is no joint {joint}.": "Es gibt kein Gelenk {joint}.",
    "Choose one of: {joints}.": "Eines von diesen wählen: {joints}.",
    "{person} is not seen in this frame.": "{person} ist in diesem Bild nicht zu sehen.",
    "Go to another frame.": "Zu einem anderen Bild gehen.",
    "{person} is in no take.": "{person} ist in keiner Aufnahme.",
    "This take is linked from another file: make it local first":
        "Diese Aufnahme ist aus einer anderen Datei verknüpft: erst lokal machen",
    "{person} and {other} share their keys.": "{person} und {other} haben dieselben Keyframes.",
    "Make the action of one of them a single user (the number beside its name) in the Action editor.":
        "Die Aktion von einer der beiden im Aktionseditor zum Einzelbenutzer machen (die Zahl neben ihrem Namen).",
    "Put it back into its take's collection.": "Zurück in die Sammlung der Aufnahme legen.",
    "The motion file has no person {number}.": "Die Bewegungsdatei hat keine Person {number}.",
    "Choose the right file in the list of takes.": "In der Liste der Aufnahmen die richtige Datei wählen.",
    "The feet stand in one place: no slope can be measured.":
        "Die Füße stehen an einer Stelle: keine Neigung lässt sich messen.",
    "The feet climbed by {slope} degrees.": "Die Füße stiegen um {slope} Grad.",
    "The start has to lie before the end.": "Der Anfang muss vor dem Ende liegen.",
    "There is nobody else in this take": "In dieser Aufnahme ist sonst niemand",
    "It is not clear with whom.": "Es ist nicht klar, mit wem.",
    "Select both people.": "Beide Personen auswählen.",
    "One of them would have no frames left.": "Eine von beiden hätte keine Bilder mehr.",
    "Choose a later frame.": "Ein späteres Bild wählen.",
    "Neither of them is there from this frame on.": "Ab diesem Bild ist keine von beiden da.",
    "Choose an earlier frame.": "Ein früheres Bild wählen.",
    "{one} and {other} are swapped from frame {frame} on. Re-solve Feet sets their feet firmly.":
        "{one} und {other} sind ab Bild {frame} getauscht. Füße neu lösen setzt ihre Füße fest auf.",
    "There is no take in this scene": "In dieser Szene ist keine Aufnahme",
    "The take's ground was deleted": "Der Boden der Aufnahme wurde gelöscht",
    "Move or tilt {ground} first.": "Erst {ground} bewegen oder neigen.",
    "This is the ground now. Re-solve Feet puts each person's feet on it.":
        "Das ist jetzt der Boden. Füße neu lösen stellt die Füße jeder Person darauf.",
}  # fmt: skip

FIXING = _PANELS | _BUTTONS | _CHOICES | _SAID
