"""German: what the map of a rig says, by its English words."""

from __future__ import annotations

_PARTS = {
    "Root Bone": "Wurzelknochen", "Hips": "Hüfte", "Spine": "Wirbelsäule", "Neck": "Hals", "Head": "Kopf",
    "Left Shoulder": "Linke Schulter", "Left Upper Arm": "Linker Oberarm", "Left Forearm": "Linker Unterarm",
    "Left Hand": "Linke Hand", "Left Thigh": "Linker Oberschenkel", "Left Shin": "Linker Unterschenkel",
    "Left Foot": "Linker Fuß", "Left Toes": "Linke Zehen", "Left Thumb": "Linker Daumen",
    "Left Index Finger": "Linker Zeigefinger", "Left Middle Finger": "Linker Mittelfinger",
    "Left Ring Finger": "Linker Ringfinger", "Left Little Finger": "Linker kleiner Finger",
    "Right Shoulder": "Rechte Schulter", "Right Upper Arm": "Rechter Oberarm", "Right Forearm": "Rechter Unterarm",
    "Right Hand": "Rechte Hand", "Right Thigh": "Rechter Oberschenkel", "Right Shin": "Rechter Unterschenkel",
    "Right Foot": "Rechter Fuß", "Right Toes": "Rechte Zehen", "Right Thumb": "Rechter Daumen",
    "Right Index Finger": "Rechter Zeigefinger", "Right Middle Finger": "Rechter Mittelfinger",
    "Right Ring Finger": "Rechter Ringfinger", "Right Little Finger": "Rechter kleiner Finger",
}  # fmt: skip

_SIDELESS = {
    "L": "L", "R": "R", "Shoulder": "Schulter", "Upper Arm": "Oberarm", "Forearm": "Unterarm", "Hand": "Hand",
    "Thigh": "Oberschenkel", "Shin": "Unterschenkel", "Toes": "Zehen", "Thumb": "Daumen",
    "Index Finger": "Zeigefinger", "Middle Finger": "Mittelfinger", "Ring Finger": "Ringfinger",
    "Little Finger": "Kleiner Finger",
}  # fmt: skip

_SAID = {
    "Guess Bones": "Knochen erraten",
    "Find out which bone of the rig is which part of the body, by the bones' names and by where they are":
        "Herausfinden, welcher Knochen des Rigs welcher Teil des Körpers ist, nach den Namen und der Lage der Knochen",
    "Take Selected Bones": "Ausgewählte Knochen nehmen",
    "Let the bones that are selected in pose mode play the part that is chosen in the list":
        "Die im Posenmodus ausgewählten Knochen zu dem Körperteil machen, der in der Liste gewählt ist",
    "Load Map": "Zuordnung laden",
    "Take which bone is which from a file that was saved here":
        "Aus einer hier gespeicherten Datei übernehmen, welcher Knochen welcher ist",
    "Save Map": "Zuordnung speichern",
    "Write to a file which bone is which; one beside the scene's file is found by itself for rigs of the same bones":
        "In eine Datei schreiben, welcher Knochen welcher ist; neben der Szenendatei gilt sie für gleiche Rigs",
    "Show in Colour": "Farbig zeigen",
    "Colour the bones by the parts they play: left blue, right red, doubtful pale; again: as they were":
        "Die Knochen nach ihren Körperteilen färben: links blau, rechts rot, zweifelhaft blass; noch einmal: wie zuvor",
    "The bone that plays this part, or the first of several":
        "Der Knochen, der dieser Körperteil ist, oder der erste von mehreren",
    "The last of the bones that play this part, where several hang one behind the other":
        "Der letzte der Knochen, die dieser Körperteil sind, wenn mehrere hintereinander hängen",
    "Bone": "Knochen",
    "Bones": "Knochen",
    "To": "Bis",
    "By its name; its place tells nothing.": "Nach dem Namen; die Lage sagt nichts.",
    "By its place; its name tells nothing.": "Nach der Lage; der Name sagt nichts.",
    "By its name, though its place tells otherwise.": "Nach dem Namen, obwohl die Lage anderes sagt.",
    "Rigify's own bones": "Rigifys eigene Knochen",
    "{role} is missing.": "{role} fehlt.",
    "The rig has no bone {bone} for {role}.": "Das Rig hat keinen Knochen {bone} für: {role}.",
    "{bone} is {role} and {other} at once.": "{bone} ist zugleich {role} und {other}.",
    "{role} can be one bone only.": "{role} kann nur ein Knochen sein.",
    "{role} is missing, {other} is there.": "{role} fehlt, {other} ist da.",
    "{role} does not hang on {other}.": "{role} hängt nicht an: {other}.",
    "{bone} of {role} does not hang on the bone before it.": "{bone} ({role}) hängt nicht am Knochen davor.",
    "Nothing tells where the rig looks: left and right may be the wrong way round.":
        "Nichts sagt, wohin das Rig schaut: links und rechts können vertauscht sein.",
    "Left and right by the names are the other way round by where the feet point.":
        "Links und rechts nach den Namen sind nach der Richtung der Füße vertauscht.",
    "Constraints hold {count} of these bones, {bone} for one: choose the rig's controls instead.":
        "Constraints halten {count} dieser Knochen, etwa {bone}: stattdessen die Steuerknochen des Rigs wählen.",
    "Select your own rig: an armature, or a mesh on one": "Das eigene Rig auswählen: eine Armatur oder ein Mesh daran",
    "This rig is linked: make a library override of it first":
        "Dieses Rig ist verlinkt: zuerst einen Bibliotheks-Override machen",
    "Guess the bones first, or load a map": "Zuerst die Knochen erraten oder eine Zuordnung laden",
    "Select bones in pose mode first": "Zuerst Knochen im Posenmodus auswählen",
    "This part is one bone.": "Dieser Körperteil ist ein Knochen.",
    "Select one.": "Einen auswählen.",
    "These bones do not hang one behind the other.": "Diese Knochen hängen nicht hintereinander.",
    "Select a chain of bones.": "Eine Kette von Knochen auswählen.",
    "{file} is of another rig: none of its bones is here.":
        "{file} gehört zu einem anderen Rig: keiner der Knochen ist hier.",
    "Choose another file, or guess the bones.": "Eine andere Datei wählen oder die Knochen erraten.",
    "Colours of bones are seen in pose mode": "Farben von Knochen sieht man im Posenmodus",
    "{file} is saved": "{file} ist gespeichert",
    "This is no map of a rig.": "Das ist keine Zuordnung eines Rigs.",
    "This is no JSON file.": "Das ist keine JSON-Datei.",
    "The map has names that are no text.": "Die Zuordnung hat Namen, die kein Text sind.",
    "Choose a map that was saved here, or guess again.": "Eine hier gespeicherte Zuordnung wählen oder neu erraten.",
    "Choose a map that was saved here.": "Eine hier gespeicherte Zuordnung wählen.",
    "Choose another file.": "Eine andere Datei wählen.",
}  # fmt: skip

RIG_MAPS = _PARTS | _SIDELESS | _SAID
