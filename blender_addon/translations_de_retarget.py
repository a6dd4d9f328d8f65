"""German: what retargeting says, by its English words."""

from __future__ import annotations

RETARGET = {
    "Retarget": "Übertragen",
    "Put this person's motion onto your own rig; what the rig showed before comes back with Remove":
        "Die Bewegung dieses Menschen auf das eigene Rig legen; was das Rig vorher zeigte, kommt mit Entfernen zurück",
    "Put the motion onto the rig once more, as the person, the map and the settings are now":
        "Die Bewegung noch einmal auf das Rig legen, so wie Mensch, Zuordnung und Einstellungen jetzt sind",
    "Bake": "Festschreiben",
    "Make the motion the rig's own: its action stays as an asset, and nothing is put back any more":
        "Die Bewegung dem Rig zu eigen machen: Seine Aktion bleibt als Asset, und nichts wird mehr zurückgestellt",
    "Take the motion off the rig: action, pose and constraints are as they were before":
        "Die Bewegung vom Rig nehmen: Aktion, Pose und Beschränkungen sind wie zuvor",
    "Rig": "Rig",
    "Your own character's armature": "Die Armatur der eigenen Figur",
    "Whose motion the rig gets": "Wessen Bewegung das Rig bekommt",
    "Root Motion": "Wurzelbewegung",
    "Where the way over the ground goes": "Wohin der Weg über den Boden geht",
    "The way over the ground goes onto the root bone; onto the pelvis where the rig has none":
        "Der Weg über den Boden geht auf den Wurzelknochen; auf das Becken, wo das Rig keinen hat",
    "Pelvis": "Becken",
    "The pelvis bone carries all of it; the root bone stays":
        "Der Beckenknochen trägt alles; der Wurzelknochen bleibt stehen",
    "The character stays where it begins, for games that move it themselves":
        "Die Figur bleibt, wo sie beginnt, für Spiele, die sie selbst bewegen",
    "Scale, 0: Auto": "Maßstab, 0: auto",
    "How far the character goes for each metre of the person's. 0: as its legs are long; 1: as far, so that several "
    "characters stay as far apart as the people":
        "Wie weit die Figur für jeden Meter des Menschen geht. 0: wie ihre Beine lang sind; 1: ebenso weit, so dass "
        "mehrere Figuren so weit auseinander bleiben wie die Menschen",
    "Plant Feet": "Füße festhalten",
    "Solve legs and hips again, so that feet stand still on this character's own legs":
        "Beine und Hüfte neu lösen, damit die Füße auf den eigenen Beinen dieser Figur still stehen",
    "Relaxed Hands": "Lockere Hände",
    "How far fingers are curled as in a hanging hand; 0: as they rest on the rig":
        "Wie weit die Finger wie in einer hängenden Hand gebeugt sind; 0: wie in der Ruhepose des Rigs",
    "Legs in IK": "Beine in IK",
    "The legs follow their controls for IK; those for FK are keyed too, and Rigify's IK-FK switches":
        "Die Beine folgen ihren Steuerknochen für IK; die für FK haben auch Schlüssel, und Rigifys IK-FK schaltet um",
    "Arms in IK": "Arme in IK",
    "The arms follow their controls for IK; those for FK are keyed too, and Rigify's IK-FK switches":
        "Die Arme folgen ihren Steuerknochen für IK; die für FK haben auch Schlüssel, und Rigifys IK-FK schaltet um",
    "Select your own rig, or choose it in the panel": "Das eigene Rig auswählen oder im Bedienfeld nennen",
    "Select your own character's armature, or choose it here.":
        "Die Armatur der eigenen Figur auswählen oder hier nennen.",
    "This rig shows nobody's motion": "Dieses Rig zeigt niemandes Bewegung",
    "Choose whose motion the rig shall get": "Wählen, wessen Bewegung das Rig bekommen soll",
    "Wait until what is being worked on is done": "Warten, bis die laufende Arbeit fertig ist",
    "{rig} is linked: a library override of it was made":
        "{rig} ist verknüpft: Eine Bibliotheksüberschreibung davon wurde angelegt",
    "Limbs are {degrees} degrees off": "Glieder weichen um {degrees} Grad ab",
    "Limbs are {degrees} degrees off, feet slide {mm} mm a frame":
        "Glieder weichen um {degrees} Grad ab, Füße rutschen {mm} mm je Bild",
    "Limbs: {degrees} degrees off": "Glieder: {degrees} Grad Abweichung",
    "Feet slide: {mm} mm a frame": "Füße rutschen: {mm} mm je Bild",
    "Size: {factor} of the person's": "Größe: {factor} des Menschen",
    "Baked: {name}": "Festgeschrieben: {name}",
    "Keys made by hand on {rig} are kept in the action {name}.":
        "Von Hand gesetzte Schlüssel auf {rig} sind in der Aktion {name} aufgehoben.",
    "{rig} shows nobody's motion.": "{rig} zeigt niemandes Bewegung.",
    "Press Retarget first.": "Zuerst Übertragen drücken.",
    "Nothing to remove.": "Es gibt nichts zu entfernen.",
    "A strip of {rig} is in tweak mode.": "Ein Streifen von {rig} wird im NLA-Editor bearbeitet.",
    "Leave tweak mode in the NLA first.": "Erst dessen Bearbeitung im NLA-Editor beenden (Tab).",
    "{rig} has another action now.": "{rig} hat jetzt eine andere Aktion.",
    "Press Update first, or Remove.": "Zuerst Aktualisieren drücken, oder Entfernen.",
    "The person whose motion {rig} shows is gone.": "Der Mensch, dessen Bewegung {rig} zeigt, ist weg.",
    "Bake the motion, or choose another person and retarget.":
        "Die Bewegung festschreiben, oder einen anderen Menschen wählen und übertragen.",
    "{rig} is no rig.": "{rig} ist kein Rig.",
    "Choose your character's armature.": "Die Armatur der Figur wählen.",
    "{rig} is linked from another file.": "{rig} ist aus einer anderen Datei verknüpft.",
    "No library override of {rig} can be made.": "Von {rig} lässt sich keine Bibliotheksüberschreibung anlegen.",
    "Link its whole collection, or append the character instead.":
        "Ihre ganze Sammlung verknüpfen, oder die Figur stattdessen anhängen.",
    "{person} has not the bones of a recovered person.": "{person} hat nicht die Knochen eines erfassten Menschen.",
    "{person} is hidden in all frames.": "{person} ist in allen Bildern verborgen.",
    "The rig is scaled unevenly, or mirrored.": "Das Rig ist ungleich skaliert oder gespiegelt.",
    "Give its object the same scale in x, y and z.": "Seinem Objekt in x, y und z dieselbe Skalierung geben.",
}  # fmt: skip
