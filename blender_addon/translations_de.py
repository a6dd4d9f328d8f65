"""German: what the add-on says, by its English words."""

from __future__ import annotations

from .translations_de_export import EXPORTING
from .translations_de_fix import FIXING
from .translations_de_import import IMPORTING
from .translations_de_retarget import RETARGET
from .translations_de_rig_map import RIG_MAPS
from .translations_de_takes import TAKES

_BUTTONS = {
    "Turn the people in the clip into armatures in this scene; Blender stays usable meanwhile":
        "Die Menschen im Clip werden zu Armaturen in dieser Szene; Blender bleibt währenddessen benutzbar",
    "Stop what the engine does; nothing is written": "Abbrechen, woran gearbeitet wird; nichts wird geschrieben",
    "Copy Log": "Protokoll kopieren",
    "Copy the error and the engine's last lines, to send them to somebody":
        "Den Fehler und die letzten Zeilen der Engine kopieren, um sie jemandem zu schicken",
    "Say what the engine came to": "Sagen, was herausgekommen ist",
    "Add Foot IK": "Fuß-IK hinzufügen",
    "Add Again": "Neu hinzufügen",
    "Put targets onto this person's feet that hold each plant with one key; those of before are made anew":
        "Ziele für die Füße dieser Person, die jeden Stand mit einem Keyframe halten; vorhandene werden neu gemacht",
    "Remove Foot IK": "Fuß-IK entfernen",
    "Take the targets off this person's feet; the legs move by their own keys again":
        "Die Ziele der Füße dieser Person entfernen; die Beine folgen wieder ihren eigenen Keyframes",
}  # fmt: skip

_PANELS = {
    "Camera and Scene": "Kamera und Szene",
    "Foot IK": "Fuß-IK",
    "Range and frame rate are the strip's.": "Bereich und Bildrate sind die des Streifens.",
    "Works where it was added to the engine's environment.":
        "Geht, wenn es der Umgebung der Engine hinzugefügt wurde.",
    "Open this clip in the Movie Clip editor, which has the lens.":
        "Diesen Clip im Film-Clip-Editor öffnen: dort steht das Objektiv.",
    "Select a person of a take.": "Eine Person einer Aufnahme auswählen.",
    "To move a plant, move its target on the key before the foot lands, and key it.":
        "Einen Stand versetzen: sein Ziel auf dem Keyframe vor dem Auftreten bewegen und den Keyframe neu setzen.",
    "Hold Left": "Links halten",
    "Hold Right": "Rechts halten",
}  # fmt: skip

_PROGRESS = {
    "Starting the engine": "Engine startet",
    "Reading the clip": "Clip wird gelesen",
    "Finding people": "Menschen werden gefunden",
    "Following the camera": "Kamera wird verfolgt",
    "Fitting bodies": "Körper werden angepasst",
    "Placing them in the world": "Alle bekommen ihren Platz in der Welt",
    "Refining": "Verfeinern",
    "Writing": "Schreiben",
    "{stage}, {time} left": "{stage}, noch {time}",
    "Stopping": "Wird abgebrochen",
    "Putting it into the scene": "Kommt in die Szene",
    "Done: {what}.": "Fertig: {what}.",
    "The take goes on to frame {end}, the scene ends at {scene}.": "Der Take endet bei {end}, die Szene bei {scene}.",
    "{count} person, licence: {licence}": "{count} Person, Lizenz: {licence}",
    "{count} people, licence: {licence}": "{count} Personen, Lizenz: {licence}",
    "Joints {error} px off the picture": "Gelenke {error} px neben dem Bild",
    "Feet slide {slide} mm a frame": "Füße rutschen {slide} mm pro Bild",
}

_CHOICES = {
    "Clip": "Clip",
    "The video with the people": "Das Video mit den Menschen",
    "Frame Range": "Bildbereich",
    "Use only a part of the clip": "Nur einen Teil des Clips benutzen",
    "First": "Erstes",
    "First frame, counted from 0": "Erstes Bild, ab 0 gezählt",
    "Last": "Letztes",
    "Last frame, counted from 0": "Letztes Bild, ab 0 gezählt",
    "People": "Menschen",
    "Whom to recover": "Wessen Bewegung geholt wird",
    "Main": "Wichtige",
    "Everyone who is large enough and in view for long enough": "Alle, die groß genug und lange genug zu sehen sind",
    "Everyone": "Alle",
    "Everyone who is believable, small ones in the background too":
        "Alle, die glaubhaft sind, auch kleine im Hintergrund",
    "Number": "Anzahl",
    "So many, the most important first": "So viele, die wichtigsten zuerst",
    "How Many": "Wie viele",
    "So many people, no more": "So viele Menschen, nicht mehr",
    "Camera": "Kamera",
    "How it is found out where the camera was": "Wie herausgefunden wird, wo die Kamera war",
    "Automatic": "Automatisch",
    "Decide from the background whether the camera moved": "Am Hintergrund entscheiden, ob sich die Kamera bewegt hat",
    "Static": "Fest",
    "The camera did not move": "Die Kamera hat sich nicht bewegt",
    "Tracked in Blender": "In Blender verfolgt",
    "The camera that was solved in the Movie Clip editor": "Die Kamera, die im Film-Clip-Editor gelöst wurde",
    "From a File": "Aus einer Datei",
    "The camera that another program solved": "Die Kamera, die ein anderes Programm gelöst hat",
    "Gyroscope": "Gyroskop",
    "A phone's gyroscope turned with the camera": "Das Gyroskop eines Telefons hat sich mit der Kamera gedreht",
    "Followed by DROID-SLAM, where it is installed": "Verfolgt von DROID-SLAM, wo es installiert ist",
    "Followed by DPVO, where it is installed": "Verfolgt von DPVO, wo es installiert ist",
    "Camera File": "Kameradatei",
    "What the camera is read from": "Woraus die Kamera gelesen wird",
    "Solved Clip": "Gelöster Clip",
    "Movie clip with a solved camera; left empty, the solved one that shows the video is taken":
        "Film-Clip mit gelöster Kamera; bleibt das leer, wird der gelöste genommen, der das Video zeigt",
    "Lens": "Objektiv",
    "Where the focal length comes from": "Woher die Brennweite kommt",
    "Found out from the clip, or guessed": "Aus dem Clip herausgefunden oder geschätzt",
    "Known": "Bekannt",
    "Say what lens the clip was filmed with": "Angeben, mit welchem Objektiv gefilmt wurde",
    "From the Movie Clip": "Vom Film-Clip",
    "Focal length and sensor as set in the Movie Clip editor's Track tab, under Lens":
        "Brennweite und Sensor, wie sie im Film-Clip-Editor unter Objektiv stehen",
    "Focal Length": "Brennweite",
    "In millimetres, for a sensor of the width below": "In Millimetern, für einen Sensor der Breite darunter",
    "Sensor Width": "Sensorbreite",
    "Along the picture's longer side; 36 for a focal length as on full frame":
        "Entlang der längeren Seite des Bildes; 36 für eine Brennweite wie bei Vollformat",
    "Quality": "Qualität",
    "How much work is put into it": "Wie viel Arbeit hineingesteckt wird",
    "Fast": "Schnell",
    "Rough: without fitting bodies closely to the picture": "Grob: Körper werden dem Bild nicht genau angepasst",
    "Balanced": "Ausgewogen",
    "The usual choice: people, ground and camera are weighed together":
        "Die übliche Wahl: Menschen, Boden und Kamera werden gemeinsam abgewogen",
    "Best": "Beste",
    "Also weighs how people usually move; takes longest":
        "Wägt auch ab, wie Menschen sich gewöhnlich bewegen; dauert am längsten",
    "Known Height": "Bekannte Größe",
    "Say how tall person 1 is; otherwise it is estimated": "Angeben, wie groß Person 1 ist; sonst wird es geschätzt",
    "Height": "Größe",
    "Of person 1": "Von Person 1",
    "Frame Rate": "Bildrate",
    "What to do where clip and scene have different frame rates":
        "Was geschieht, wenn Clip und Szene verschiedene Bildraten haben",
    "Change the Scene's": "Die der Szene ändern",
    "The scene takes the clip's frame rate and range; every frame is as recovered":
        "Die Szene übernimmt Bildrate und Bereich des Clips; jedes Bild ist, wie es herauskam",
    "Resample": "Umrechnen",
    "The scene keeps its frame rate; the motion's keys are put on the scene's frames":
        "Die Szene behält ihre Bildrate; die Keyframes der Bewegung kommen auf die Bilder der Szene",
    "Motion File": "Bewegungsdatei",
    "The numbers that this take shows": "Die Zahlen, die diese Aufnahme zeigt",
}  # fmt: skip

_FAULTS = {
    "Something is being worked on: wait for it, or cancel it": "Es wird gerade gearbeitet: warten oder abbrechen",
    "The log is on the clipboard.": "Das Protokoll ist in der Zwischenablage.",
    "No engine was found.": "Keine Engine gefunden.",
    "There is no place for the take ({error}).": "Für die Aufnahme ist kein Platz ({error}).",
    "Save the file in another folder.": "Die Datei in einem anderen Ordner speichern.",
    "The engine cannot be started ({error}).": "Die Engine lässt sich nicht starten ({error}).",
    "Check its path in the preferences.": "Ihren Pfad in den Einstellungen prüfen.",
    "The camera cannot be written ({error}).": "Die Kamera lässt sich nicht schreiben ({error}).",
    "Free space there.": "Dort Platz schaffen.",
    "No camera file is chosen.": "Keine Kameradatei ist gewählt.",
    "Choose one, or another Camera.": "Eine wählen oder eine andere Kamera.",
    "There is no camera file {file}.": "Es gibt keine Kameradatei {file}.",
    "Choose another one, or another Camera.": "Eine andere wählen oder eine andere Kamera.",
    "{clip} is not open in the Movie Clip editor, which has the lens.":
        "{clip} ist nicht im Film-Clip-Editor geöffnet, wo das Objektiv steht.",
    "Open it there, or choose another Lens.": "Dort öffnen oder ein anderes Objektiv wählen.",
    "No clip is chosen.": "Kein Clip ist gewählt.",
    "Choose a video file.": "Eine Videodatei wählen.",
    "No clip is open here.": "Hier ist kein Clip geöffnet.",
    "Open a video in this editor.": "Ein Video in diesem Editor öffnen.",
    "{clip} is a sequence of pictures.": "{clip} ist eine Bildfolge.",
    "Open it as a video.": "Als Video öffnen.",
    "The active strip is no video.": "Der aktive Streifen ist kein Video.",
    "Select a movie strip.": "Einen Filmstreifen auswählen.",
    "{strip} changes its speed.": "{strip} ändert seine Geschwindigkeit.",
    "Use a strip with one speed.": "Einen Streifen mit einer einzigen Geschwindigkeit benutzen.",
    "{strip} runs backwards.": "{strip} läuft rückwärts.",
    "Switch Reverse Frames off.": "Das Umkehren der Bilder ausschalten.",
    "There is no file {file}.": "Es gibt keine Datei {file}.",
    "Choose another clip.": "Einen anderen Clip wählen.",
    "There is no solved clip.": "Es gibt keinen gelösten Clip.",
    "Track and solve the camera in the Movie Clip editor, or choose another Camera.":
        "Die Kamera im Film-Clip-Editor verfolgen und lösen oder eine andere Kamera wählen.",
    "The scene was changed while the take was built.": "Die Szene wurde geändert, während die Aufnahme entstand.",
    "Recover again: it goes fast now.": "Noch einmal starten: es geht jetzt schnell.",
    "{take}'s motion file {file} is not there.": "Die Bewegungsdatei {file} von {take} ist nicht da.",
    "{file} is of another clip than {take}.": "{file} gehört zu einem anderen Clip als {take}.",
    "Choose where its own is in the list of takes.": "In der Liste der Aufnahmen angeben, wo die eigene ist.",
    "Put it back, or choose where it is in the list of takes.":
        "Zurücklegen oder in der Liste der Aufnahmen angeben, wo sie ist.",
    "Select a person of a take": "Eine Person einer Aufnahme auswählen",
    "This person is linked from another file: make it local first":
        "Diese Person ist aus einer anderen Datei verknüpft: erst lokal machen",
    "Leave edit mode first": "Erst den Bearbeitungsmodus verlassen",
    "This person has no foot IK": "Diese Person hat keine Fuß-IK",
    "{count} plant is held": "{count} Stand wird gehalten",
    "{count} plants are held": "{count} Stände werden gehalten",
    "The left foot never stands: it has no target": "Der linke Fuß steht nie: er hat kein Ziel",
    "The right foot never stands: it has no target": "Der rechte Fuß steht nie: er hat kein Ziel",
    "{person}'s feet never stand.": "Die Füße von {person} stehen nie.",
    "Key the armature's contact properties where they should.":
        "Die Kontakt-Eigenschaften der Armatur dort mit Keyframes versehen, wo sie stehen sollen.",
    "{person} has no keys.": "{person} hat keine Keyframes.",
    "Choose a person whose action holds the recovered motion.":
        "Eine Person wählen, deren Aktion die Bewegung enthält.",
    "{person} has no foot contacts.": "{person} hat keine Fußkontakte.",
    "Choose a person that Recover Motion made.": "Eine Person wählen, die Recover Motion gemacht hat.",
}  # fmt: skip

_WHO = {
    "Find People": "Menschen finden",
    "Find Again": "Neu finden",
    "Show Clip": "Clip zeigen",
    "Open the clip in half of this editor, with a box around everybody who was found":
        "Den Clip in der Hälfte dieses Editors öffnen, mit einem Rahmen um jeden, der gefunden wurde",
    "Press it in the 3D viewport, after Find People": "In der 3D-Ansicht drücken, nach Menschen finden",
    "There is no file {file}. Put it back.": "Es gibt keine Datei {file}. Sie wieder dorthin legen.",
    "There is no room for another editor here. Make this one wider.":
        "Hier ist kein Platz für einen weiteren Editor. Diesen breiter machen.",
    "Look who is in the clip, to choose before anything is recovered; Recover Motion then goes on from there":
        "Nachsehen, wer im Clip ist, und vorher auswählen; Recover Motion macht dann von dort weiter",
    "{count} person found": "{count} Person gefunden",
    "{count} people found": "{count} Personen gefunden",
    "Recover": "Wen",
    "Whether this person becomes an armature": "Ob diese Person eine Armatur wird",
    "What the armature will be called; may stay empty": "Wie die Armatur heißen wird; kann leer bleiben",
    "Person {number}": "Person {number}",
    "Name, merge or split this one": "Diese benennen, vereinen oder teilen",
    "Tick": "Anhaken",
    "Tick everybody in the list, or nobody": "Alle in der Liste anhaken oder niemanden",
    "Tick, rather than untick": "Anhaken statt abwählen",
    "Tick everybody": "Alle anhaken",
    "Untick everybody": "Niemanden anhaken",
    "Tick whom you want.": "Anhaken, wer gewünscht ist.",
    "Merge With": "Vereinen mit",
    "The active person and another one are the same: make one person of them":
        "Die aktive Person und eine andere sind dieselbe: aus beiden eine machen",
    "Everybody Ticked": "Alle Angehakten",
    "All who are ticked become the same person as the active one":
        "Alle Angehakten werden dieselbe Person wie die aktive",
    "The same person as the active one": "Dieselbe Person wie die aktive",
    "Who is the same person": "Wer dieselbe Person ist",
    "Split": "Teilen",
    "From the frame on that is shown now, the active person is somebody else: make two of the one":
        "Ab dem gezeigten Bild ist die aktive Person jemand anderes: aus einer zwei machen",
    "Forget": "Vergessen",
    "Forget who was found: the engine chooses again": "Vergessen, wer gefunden wurde: die Engine wählt wieder selbst",
    "Pick in the Frame": "Im Bild wählen",
    "Click on a person wherever the clip is shown: only they stay ticked; with Shift they are ticked too":
        "Eine Person anklicken, wo der Clip zu sehen ist: nur sie bleibt angehakt; mit Umschalt kommt sie dazu",
    "Click on a person: choose only them  |  Shift: choose them too  |  Esc: stop":
        "Person anklicken: nur sie wählen  |  Umschalt: dazunehmen  |  Esc: aufhören",
    "Found in {clip}, not in this. Find People again.":
        "In {clip} gefunden, nicht in diesem. Noch einmal Menschen finden.",
    "Found in {clip}, which is not open here.": "In {clip} gefunden, das hier nicht offen ist.",
    "{clip} from frame {start} on": "{clip} ab Bild {start}",
    "frames {start} to {end} of {clip}": "Bild {start} bis {end} von {clip}",
    "In every frame": "In jedem Bild",
    "In {count} of {all} frames": "In {count} von {all} Bildern",
    "The file that says who is where is gone. Find People again.":
        "Die Datei, die sagt, wer wo ist, ist weg. Noch einmal Menschen finden.",
    "Find People first": "Erst Menschen finden",
    "Find People first, or wait for what is being worked on":
        "Erst Menschen finden, oder warten, bis die Arbeit fertig ist",
    "Nobody was looked for": "Es wurde niemand gesucht",
    "There is nobody to merge with.": "Es gibt niemanden zum Vereinen.",
    "Tick somebody else too.": "Noch jemanden anhaken.",
    "{one} and {other} are both in view in {frames}.": "{one} und {other} sind beide zu sehen: {frames}.",
    "Split one of them there first.": "Erst dort eine von beiden teilen.",
    "frame {frames}": "Bild {frames}",
    "frame {frames} of the clip, counted from 0": "Bild {frames} des Clips, ab 0 gezählt",
    "Nobody is chosen in the list.": "In der Liste ist niemand gewählt.",
    "Click on somebody there.": "Dort jemanden anklicken.",
    "The clip is open nowhere, so that no frame of it is shown.":
        "Der Clip ist nirgends geöffnet, also ist kein Bild davon zu sehen.",
    "Open it in the Movie Clip editor and go to the frame where somebody else begins.":
        "Im Film-Clip-Editor öffnen und zu dem Bild gehen, ab dem es jemand anderes ist.",
    "{person} is not in view both before this frame and from it on.":
        "{person} ist nicht sowohl vor diesem Bild als auch ab ihm zu sehen.",
    "It is seen in {frames}.": "Zu sehen ist sie hier: {frames}.",
    "Nobody was found there. Click into one of the boxes.": "Dort wurde niemand gefunden. In einen der Kästen klicken.",
    "The clip is not in view. Open it in the Movie Clip editor, or behind the camera.":
        "Der Clip ist nicht zu sehen. Im Film-Clip-Editor oder hinter der Kamera öffnen.",
    "Nobody is ticked in the list of people.": "In der Liste der Menschen ist niemand angehakt.",
    "Tick those whom you want, or press Forget to leave the choice to the engine.":
        "Anhaken, wer gewünscht ist, oder mit Vergessen der Engine die Wahl lassen.",
    "Find the people again.": "Die Menschen noch einmal finden.",
    "The list of people cannot be written ({error}).": "Die Liste der Menschen lässt sich nicht schreiben ({error}).",
}  # fmt: skip

GERMAN = (
    _BUTTONS
    | _PANELS
    | _PROGRESS
    | _CHOICES
    | _WHO
    | _FAULTS
    | TAKES
    | FIXING
    | RIG_MAPS
    | RETARGET
    | EXPORTING
    | IMPORTING
)
