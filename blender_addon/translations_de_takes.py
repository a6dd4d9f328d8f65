"""German: the list of takes, the overlay, the quality strip."""

from __future__ import annotations

TAKES = {
    "Takes": "Aufnahmen",
    "What is recovered is listed here.": "Hier steht, was geholt wurde.",
    "Active Take": "Aktive Aufnahme",
    "The take whose figures are shown; its camera becomes the scene's":
        "Die Aufnahme, deren Zahlen zu sehen sind; ihre Kamera wird die der Szene",
    "Show Take": "Aufnahme zeigen",
    "Show this take, in viewports and in renders": "Diese Aufnahme zeigen, in 3D-Ansichten und beim Rendern",
    "Name of the take; its people, actions and materials follow it":
        "Name der Aufnahme; ihre Personen, Aktionen und Materialien folgen ihm",
    "Show Only This": "Nur diese zeigen",
    "Show this take and hide all the others, and look through its camera":
        "Diese Aufnahme zeigen, alle anderen verbergen und durch ihre Kamera sehen",
    "Use Camera": "Kamera benutzen",
    "Make the take's camera the scene's, with the scene's picture as large as the clip's":
        "Die Kamera der Aufnahme zu der der Szene machen, deren Bild so groß wie das des Clips wird",
    "Compare": "Vergleichen",
    "Show another take in one see-through colour with the active one; a click on the other's name changes sides":
        "Eine andere Aufnahme durchscheinend in einer Farbe mit der aktiven zeigen; ein Klick auf ihren Namen tauscht",
    "There is no other take in this scene to compare with": "In dieser Szene ist keine andere Aufnahme zum Vergleichen",
    "With {take}": "Mit {take}",
    "Others are compared with it": "Andere werden damit verglichen",
    "Where the other take stands": "Wo die andere Aufnahme steht",
    "Over Each Other": "Übereinander",
    "Both in the same place": "Beide am selben Ort",
    "Side by Side": "Nebeneinander",
    "The other one to the right of it, as the camera sees it": "Die andere rechts davon, von der Kamera aus gesehen",
    "Distance": "Abstand",
    "How far to the right the other take stands": "Wie weit rechts die andere Aufnahme steht",
    "Stop Comparing": "Vergleich beenden",
    "Give the compared take its own look and its place back":
        "Der verglichenen Aufnahme ihr Aussehen und ihren Ort zurückgeben",
    "No takes are being compared": "Es werden keine Aufnahmen verglichen",
    "Delete Take": "Aufnahme löschen",
    "Delete this take with everything in its collection, actions and all; its motion file stays on disk":
        "Diese Aufnahme mit allem in ihrer Collection löschen, auch den Aktionen; ihre Bewegungsdatei bleibt liegen",
    "Delete {take}?": "{take} löschen?",
    "Delete": "Löschen",
    "{people} people, {all} objects in all.": "Personen: {people}, Objekte insgesamt: {all}.",
    "{take} is deleted; its motion file stays": "{take} ist gelöscht; die Bewegungsdatei bleibt",
    "There is no take in this scene: recover one first": "In dieser Szene ist keine Aufnahme: erst eine holen",
    "Locate Motion File": "Bewegungsdatei suchen",
    "Say where the take's motion file is now; it has to be of the same clip and people":
        "Sagen, wo die Bewegungsdatei der Aufnahme jetzt ist; sie muss vom selben Clip und denselben Personen sein",
    "{clip}, pictures {first} to {last}, {seconds} s at {rate} fps":
        "{clip}, Bilder {first} bis {last}, {seconds} s mit {rate} fps",
    "{maker}, quality {quality}": "{maker}, Qualität {quality}",
    "Licence: open, also for paid work": "Lizenz: offen, auch für bezahlte Arbeit",
    "Licence: research only, a model it was made with forbids paid work":
        "Lizenz: nur Forschung, ein verwendetes Modell verbietet bezahlte Arbeit",
    "Licence: {licence}": "Lizenz: {licence}",
    "Overlay and Quality": "Überlagerung und Qualität",
    "Skeleton": "Skelett",
    "Draw the take's skeletons over its clip in the Movie Clip editor, as they are posed now; "
    "dashed where a limb was hidden and its place guessed, with dots where a foot is planted":
        "Die Skelette der Aufnahme im Film-Clip-Editor über ihren Clip zeichnen, in ihrer jetzigen Pose; "
        "gestrichelt, wo ein Glied verdeckt und geraten war, mit Punkten, wo ein Fuß steht",
    "Ground Grid": "Bodenraster",
    "Draw the ground over the take's clip in the Movie Clip editor, in squares of a metre: "
    "a good camera keeps it stuck to the floor":
        "Den Boden im Film-Clip-Editor über den Clip zeichnen, in Quadraten von einem Meter: "
        "bei einer guten Kamera haftet er am Boden",
    "In the Camera View Too": "Auch in der Kameraansicht",
    "Draw the same in 3D viewports that look through the take's camera":
        "Dasselbe in 3D-Ansichten zeichnen, die durch die Kamera der Aufnahme sehen",
    "Quality Strip": "Qualitätsstreifen",
    "Colour the frames along the bottom of Timeline, Dope Sheet and Movie Clip editor by how good they "
    "are, a row for each person of the active take: green to red, grey where nothing of the person was seen":
        "Die Bilder unten in Zeitleiste, Dope Sheet und Film-Clip-Editor danach färben, wie gut sie sind, eine Zeile "
        "für jede Person der aktiven Aufnahme: grün bis rot, grau, wo nichts von ihr zu sehen war",
    "Next Worst Frame": "Nächstes schlechtes Bild",
    "Jump to the next frame in which somebody of the active take is badly off: off the picture, hidden or sliding":
        "Zum nächsten Bild springen, in dem jemand der aktiven Aufnahme schlecht liegt: daneben, verdeckt, rutschend",
    "Previous Worst Frame": "Voriges schlechtes Bild",
    "Jump back to the frame before this one in which somebody of the active take is badly off":
        "Zum vorigen Bild springen, in dem jemand der aktiven Aufnahme schlecht liegt",
    "No frame of {take} stands out as bad": "Kein Bild von {take} fällt als schlecht auf",
    "Frame {frame}: {person}, {what}": "Bild {frame}: {person}, {what}",
    "This picture is {count} frames after what {take} shows now.":
        "Dieses Bild ist {count} Bilder nach dem, was {take} jetzt zeigt.",
    "This picture is {count} frames before what {take} shows now.":
        "Dieses Bild ist {count} Bilder vor dem, was {take} jetzt zeigt.",
    "Open {clip} here: it runs with the take.": "Hier {clip} öffnen: der läuft mit der Aufnahme.",
}  # fmt: skip
