"""German: motion that other programs recovered."""

from __future__ import annotations

IMPORTING = {
    "Import Motion...": "Bewegung importieren ...",
    "Make a take of a motion file, or of what WHAM, SLAHMR, GVHMR, TRAM, 4D-Humans, ROMP, TRACE or AMASS wrote":
        "Eine Aufnahme machen aus einer Bewegungsdatei oder dem, was WHAM, SLAHMR, GVHMR, TRAM, 4D-Humans, ROMP, TRACE "
        "oder AMASS geschrieben hat",
    "The result of another program, or a motion file": "Das Ergebnis eines anderen Programms oder eine Bewegungsdatei",
    "The video that it was made of, shown behind the camera where the camera is known; may be empty":
        "Das Video, aus dem es gemacht wurde; zu sehen hinter der Kamera, wo die Kamera bekannt ist; darf leer sein",
    "Frames a second, where neither file nor video tells; 0 where they do":
        "Bilder je Sekunde, wo es weder Datei noch Video sagen; 0, wo sie es tun",
    "Choose another file.": "Eine andere Datei wählen.",
}  # fmt: skip
