"""Every sentence of the interface, in English and French; the library's errors are in `errors`."""

from __future__ import annotations

import re

import gradio as gr

_TEXTS: dict[str, tuple[str, str]] = {
    "intro": (
        "# Restoration Lab\nDrop an old photo: a **VAE**, a **GAN** and a **CNN** restore it.",
        "# Restoration Lab\nDéposez une vieille photo : un **VAE**, un **GAN** et un **CNN** la restaurent.",
    ),
    "credits": (
        "Example photos: astronaut, rocket: NASA / SpaceX (public domain); cat: S. van der Walt (CC0); coffee:"
        " R. Michel (CC0); motorcycle: Middlebury stereo set (CC0); Grace Hopper: U.S. Navy (public domain); temple:"
        " danielbuechele (CC BY 2.0); flower: vultilion (CC BY 2.0). Your photos are worked on by the machine that runs"
        " this app, deleted there within an hour, and never used for training.",
        "Photos d'exemple : astronaute, fusée : NASA / SpaceX (domaine public) ; chat : S. van der Walt (CC0) ; café :"
        " R. Michel (CC0) ; moto : Middlebury stereo set (CC0) ; Grace Hopper : U.S. Navy (domaine public) ; temple :"
        " danielbuechele (CC BY 2.0) ; fleur : vultilion (CC BY 2.0). Vos photos sont traitées par la machine qui fait"
        " tourner cette application, y sont effacées en moins d'une heure, et ne servent jamais à l'entraînement.",
    ),
    # --- The photo and its damage ---
    "photo": ("Your photo", "Votre photo"),
    "examples": ("Or an example", "Ou un exemple"),
    "example_grace_hopper": ("Officer", "Officière"),
    "example_astronaut": ("Astronaut", "Astronaute"),
    "example_china": ("Temple", "Temple"),
    "example_coffee": ("Coffee", "Café"),
    "example_flower": ("Flower", "Fleur"),
    "example_chelsea": ("Cat", "Chat"),
    "example_motorcycle": ("Motorbike", "Moto"),
    "example_rocket": ("Rocket", "Fusée"),
    "mode": ("What to do", "Que faire"),
    "mode_degrade": ("Damage it for me", "Abîmez-la pour moi"),
    "mode_damaged": ("My photo is damaged", "Ma photo est abîmée"),
    "fit": ("How it becomes a square", "Comment elle devient carrée"),
    "crop": ("crop", "recadrer"),
    "squash": ("squash", "déformer"),
    "pad": ("pad", "compléter"),
    "preset": ("Damage", "Dégâts"),
    "original": ("original", "original"),
    "light": ("light", "léger"),
    "heavy": ("heavy", "fort"),
    "antique": ("antique", "ancien"),
    "off": ("none", "aucun"),
    "seed": ("Seed of the draw", "Graine du tirage"),
    "dice": ("Another draw", "Autre tirage"),
    "by_hand": ("Damage by hand", "Dégâts à la main"),
    "grayscale": ("Grayscale", "Niveaux de gris"),
    "gaussian": ("Gaussian noise (sigma)", "Bruit gaussien (sigma)"),
    "salt_pepper": ("Salt or pepper (fraction of pixels)", "Sel ou poivre (fraction des pixels)"),
    "speckle": ("Speckle (relative sigma)", "Chatoiement (sigma relatif)"),
    "correlated": ("Correlated noise (sigma)", "Bruit corrélé (sigma)"),
    "lines": ("Vertical lines", "Lignes verticales"),
    "blur": ("Blur (kernel, pixels; 1 is off)", "Flou (noyau, pixels ; 1 : aucun)"),
    "jpeg": ("JPEG quality (100 is off)", "Qualité JPEG (100 : aucun)"),
    "fading": ("Fading (share of the contrast)", "Pâlissement (part du contraste)"),
    "scratches": ("Scratches, cracks", "Rayures, craquelures"),
    "dust": ("Dust and hairs", "Poussières et poils"),
    "look": ("Colour", "Couleurs"),
    "look_colour": ("Colours", "Couleurs"),
    "colour_auto": ("automatic", "automatiques"),
    "colour_new": ("guessed anew", "devinées"),
    "colour_keep": ("its own", "les siennes"),
    "colour_none": ("none", "aucune"),
    "look_strength": ("Their strength (0: grey)", "Leur force (0 : gris)"),
    "look_tone": ("Fading undone (0: none)", "Pâleur corrigée (0 : rien)"),
    "look_sample": ("Sample of the VAE (0: its mean)", "Échantillon du VAE (0 : sa moyenne)"),
    "no_photo": ("Choose a photo first.", "Choisissez d'abord une photo."),
    "no_model": ("Choose a model first.", "Choisissez d'abord un modèle."),
    # --- Restore ---
    "tab_restore": ("Restore", "Restaurer"),
    "model": ("Networks", "Réseaux"),
    "upscale": ("Size", "Taille"),
    "upscale_0": ("as it is", "telle quelle"),
    "upscale_2": ("×2", "×2"),
    "upscale_4": ("×4", "×4"),
    "engine": ("Enlarge with", "Agrandir avec"),
    "engine_auto": ("Real-ESRGAN (automatic)", "Real-ESRGAN (automatique)"),
    "engine_fast": ("Real-ESRGAN fast", "Real-ESRGAN fast"),
    "engine_general": ("Real-ESRGAN general", "Real-ESRGAN general"),
    "engine_x4plus": ("Real-ESRGAN x4plus (slow)", "Real-ESRGAN x4plus (lent)"),
    "engine_bicubic": ("bicubic filter: no network", "filtre bicubique : sans réseau"),
    "denoise": ("Denoise strength", "Force du débruitage"),
    "choose": ("Choose a photo", "Choisir une photo"),
    "run": ("Restore", "Restaurer"),
    "stop": ("Stop", "Arrêter"),
    "save": ("Download this picture", "Télécharger cette image"),
    "save_all": ("Everything (.zip)", "Tout (.zip)"),
    "numbers": ("The numbers", "Les chiffres"),
    "viewer_slider": ("Before and after", "Avant et après"),
    "viewer_before": ("before", "avant"),
    "viewer_choices": ("Pictures", "Images"),
    "viewer_all": ("Side by side", "Côte à côte"),
    "viewer_large": ("One large", "Une en grand"),
    "viewer_fullscreen": ("Full screen", "Plein écran"),
    "viewer_stale": ("Settings changed: restore again.", "Réglages modifiés : restaurez de nouveau."),
    "viewer_preview": (
        "A preview; at its full size, {width}×{height}, it is restored when you download it or open the full screen.",
        "Un aperçu ; à sa taille, {width}×{height}, la photo est restaurée au téléchargement ou en plein écran.",
    ),
    "note": (
        "{light} dB{gain} · SSIM {ssim} · colour error {colour}",
        "{light} dB{gain} · SSIM {ssim} · erreur de couleur {colour}",
    ),
    "verdict_light": (
        "{who} came closest to the original in light and shade, {gain} dB closer than the damaged photo.",
        "Au plus près de l'original pour l'ombre et la lumière\u00a0: {who}, {gain} dB de mieux que la photo abîmée.",
    ),
    "verdict_colour": ("In colour, {who} came closest.", "Pour les couleurs\u00a0: {who}."),
    "verdict_none": (
        "None of them helped: the damaged photo is as close to the original as what was made of it.",
        "Aucun n'a aidé : la photo abîmée est aussi proche de l'original que ce qui en a été fait.",
    ),
    "verdict_vivid": ("{who} is the most vivid.", "Le plus vif\u00a0: {who}."),
    "verdict_worse": ("{who} made light and shade worse.", "{who} a dégradé l'ombre et la lumière."),
    "verdict_little": (
        "This photo needed little: hardly anything has changed.",
        "Cette photo demandait peu\u00a0: presque rien n'a changé.",
    ),
    "verdict_unknown": (
        "There is no original to measure against: your eyes decide.",
        "Il n'y a pas d'original auquel comparer : à vos yeux de juger.",
    ),
    "degraded": ("Damaged", "Abîmée"),
    "given": ("Your photo", "Votre photo"),
    "original_photo": ("Original", "Original"),
    "restored_by": ("{model} {width}×{height}", "{model} {width}×{height}"),
    "restoring": ("Restoring", "Restauration"),
    "samples": ("Other colours the VAE thinks possible", "D'autres couleurs que le VAE croit possibles"),
    "samples_run": ("Draw eight samples", "Tirer huit échantillons"),
    "samples_gallery": (
        "Samples at 128×128: the same light and shade, other colours",
        "Échantillons en 128×128 : mêmes ombres et lumières, autres couleurs",
    ),
    "samples_map": (
        "Where they differ: the lighter, the less sure the VAE is of its colours",
        "Où ils diffèrent : plus c'est clair, moins le VAE est sûr de ses couleurs",
    ),
    "samples_first": ("Restore a photo first.", "Restaurez d'abord une photo."),
    "sample": ("sample {number}", "échantillon {number}"),
    "mending": ("Scratches", "Rayures"),
    "scratches_mend": ("Mend scratches, creases and dust", "Réparer rayures, plis et poussières"),
    "scratches_sensitivity": ("How much is taken for damage", "Ce qui est pris pour un dégât"),
    "scratches_find": ("Show what is found", "Montrer ce qui est trouvé"),
    "scratches_brush": ("brush: mend this too", "pinceau : réparer aussi ceci"),
    "scratches_eraser": ("eraser: leave this alone", "gomme : ne pas toucher à ceci"),
    "scratches_size": ("size", "taille"),
    "scratches_undo": ("Undo", "Annuler"),
    "scratches_found": (
        "{share} % of the photo looks damaged. What is red when you press Restore is mended.",
        "{share} % de la photo semblent abîmés. Ce qui est rouge quand vous pressez Restaurer est réparé.",
    ),
    "scratches_none": (
        "No scratches were found. You can draw them yourself.",
        "Aucune rayure n'a été trouvée. Vous pouvez les dessiner vous-même.",
    ),
    "mended": ("Mended: {share} % of the photo.", "Réparé : {share} % de la photo."),
    "mended_nothing": (
        "No scratches were found, so nothing was mended.",
        "Aucune rayure n'a été trouvée ; rien n'a donc été réparé.",
    ),
    "mask": ("What was mended", "Ce qui a été réparé"),
    "left_out": (
        "The original project's networks know 128×128 pixels only, so they were left out.",
        "Les réseaux du projet d'origine ne connaissent que 128×128 pixels ; ils n'ont donc pas servi.",
    ),
    # --- Tables ---
    "photo_column": ("Photo", "Photo"),
    "psnr_luminance": ("PSNR of the luminance (dB)", "PSNR de la luminance (dB)"),
    "psnr": ("PSNR (dB)", "PSNR (dB)"),
    "ssim": ("SSIM", "SSIM"),
    "ssim_luminance": ("SSIM of the luminance", "SSIM de la luminance"),
    "ciede2000": ("Colour error (CIEDE2000)", "Erreur de couleur (CIEDE2000)"),
    "colourfulness": ("Colourfulness", "Vivacité des couleurs"),
    "noise": ("Noise", "Bruit"),
    "sharpness": ("Sharpness", "Netteté"),
    "contrast": ("Contrast", "Contraste"),
    "helped": ("Did it help?", "Cela a-t-il aidé ?"),
    "helped_yes": ("yes", "oui"),
    "helped_no": ("no", "non"),
    "helped_light": ("light and shade: yes; colours: no", "ombres et lumières : oui ; couleurs : non"),
    "helped_colour": ("light and shade: no; colours: yes", "ombres et lumières : non ; couleurs : oui"),
    "time": ("Time", "Temps"),
    "better": ("better", "mieux"),
    "worse": ("worse", "moins bien"),
    "same": ("unchanged", "inchangé"),
    "best": ("best", "meilleur"),
    "table_caption": (
        "Measured against the original at 128×128. In small: the change against the degraded photo. Higher is better"
        " for PSNR and SSIM, lower for the colour error.",
        "Mesuré par rapport à l'original en 128×128. En petit : l'écart avec la photo abîmée. Plus haut est mieux"
        " pour PSNR et SSIM, plus bas pour l'erreur de couleur.",
    ),
    "judged_caption": (
        "There is no original to measure against, so this says how each photo looks, not whether it is true.",
        "Il n'y a pas d'original auquel comparer : ce tableau dit à quoi chaque photo ressemble, non si elle est"
        " vraie.",
    ),
    "noise_0": ("hardly any", "presque aucun"),
    "noise_1": ("a little", "un peu"),
    "noise_2": ("visible", "visible"),
    "noise_3": ("strong", "fort"),
    "blur_0": ("sharp", "nette"),
    "blur_1": ("a little soft", "un peu douce"),
    "blur_2": ("soft", "douce"),
    "blur_3": ("blurred", "floue"),
    "contrast_0": ("flat", "plat"),
    "contrast_1": ("soft", "doux"),
    "contrast_2": ("normal", "normal"),
    "contrast_3": ("strong", "fort"),
    "colour_0": ("grey", "grise"),
    "colour_1": ("muted", "terne"),
    "colour_2": ("moderate", "modérée"),
    "colour_3": ("vivid", "vive"),
    "ran": ("×{scale} by Real-ESRGAN, engine {engine}.", "×{scale} par Real-ESRGAN, moteur {engine}."),
    "ran_denoise": (" Its denoise strength: {denoise}.", " Sa force de débruitage : {denoise}."),
    "fell_back": (" The better engine is not installed here.", " Le meilleur moteur n'est pas installé ici."),
    "ran_bicubic": (
        "×{scale} by a bicubic filter, without a network.",
        "×{scale} par un filtre bicubique, sans réseau.",
    ),
    "colours_kept": ("Its own colours were kept.", "Ses propres couleurs ont été gardées."),
    "colours_guessed": (
        "It had no colours; they were guessed.",
        "Elle n'avait pas de couleurs ; elles ont été devinées.",
    ),
    "degraded_in": ("Degraded in {ms} ms.", "Abîmée en {ms} ms."),
    "error_maps": ("Where each differs", "Où chacune diffère"),
    # --- Blind test ---
    "model_column": ("Model", "Modèle"),
    "tab_blind": ("Blind test", "Test à l'aveugle"),
    "blind_lead": (
        "Your photo is damaged at random, at 128×128, and restored by every model. You see the results without their"
        " names, in random order: which would you keep? Then you learn who made which, and whether the measures agree"
        " with your eye.",
        "Votre photo est abîmée au hasard, en 128×128, et restaurée par chaque modèle. Vous voyez les images sans"
        " leurs noms, dans un ordre aléatoire : laquelle garderiez-vous ? Vous apprenez ensuite qui a fait quoi, et si"
        " les mesures sont de l'avis de votre œil.",
    ),
    "blind_kept": (
        "Your vote is kept, to rank the models: the answer, the models' versions and order, the damage and the minute."
        " Neither your photo nor anything of you is kept with it.",
        "Votre vote est gardé, pour classer les modèles : la réponse, les versions et l'ordre des modèles, les dégâts"
        " et la minute. Ni votre photo ni rien de vous n'est gardé avec lui.",
    ),
    "blind_unkept": (
        "Votes aren't kept here, so there is no ranking; all else is as it would be.",
        "Ici, les votes ne sont pas gardés, et il n'y a donc pas de classement ; le reste est pareil.",
    ),
    "blind_run": ("Damage and restore it", "L'abîmer et la restaurer"),
    "blind_question": ("### Which would you keep?", "### Laquelle garderiez-vous ?"),
    "blind_alt": ("Restoration {letter}", "Restauration {letter}"),
    "blind_keep": ("Keep {letter}", "Garder {letter}"),
    "blind_none": ("None of them", "Aucune"),
    "blind_named": ("{letter}: {model}", "{letter} : {model}"),
    "blind_chose": ("You would keep {model}", "Vous garderiez {model}"),
    "blind_chose_none": ("You would keep none of them", "Vous n'en garderiez aucune"),
    "blind_agreed": (
        "{measure} agrees with your eye: {model} is the closest to the original by it, too.",
        "Le {measure} est de l'avis de votre œil : {model} est aussi, selon lui, la plus proche de l'original.",
    ),
    "blind_differed": (
        "{measure} does not agree with your eye: by it, the closest to the original is {model}.",
        "Le {measure} n'est pas de l'avis de votre œil : selon lui, la plus proche de l'original est {model}.",
    ),
    "blind_closest": (
        "By {measure}, the closest to the original is {model}.",
        "Selon le {measure}, la plus proche de l'original est {model}.",
    ),
    "blind_equal": (
        "{measure} tells no difference between them.",
        "Le {measure} ne fait pas de différence entre elles.",
    ),
    "blind_or": (" or ", " ou "),
    "blind_damage": ("Damage: preset “{preset}”, seed {seed}.", "Dégâts : préréglage « {preset} », graine {seed}."),
    "blind_again": ("Another draw", "Un autre tirage"),
    "ranking": ("How all votes rank the models", "Le classement des modèles par tous les votes"),
    "ranking_votes": (
        "Votes on these versions of the models: {votes}, of which for none: {none}.",
        "Votes sur ces versions des modèles : {votes}, dont pour aucune : {none}.",
    ),
    "ranking_few": (
        "That is too few for a ranking: it takes {least} that choose a picture.",
        "C'est trop peu pour un classement : il en faut {least} qui choisissent une image.",
    ),
    "ranking_kept": ("Chosen", "Choisi"),
    "ranking_times": ("{times} times", "{times} fois"),
    "ranking_chance": ("Chance to be kept", "Chance d'être gardé"),
    "ranking_percent": ("{chance} % ({low} to {high})", "{chance} % ({low} à {high})"),
    "ranking_caption": (
        "The chance to be kept rather than a model of average strength (Bradley and Terry's model), and its 95 %"
        " interval. Who is no better than the others has 50 %, the line in the middle.",
        "La chance d'être gardé plutôt qu'un modèle de force moyenne (modèle de Bradley et Terry), et son intervalle à"
        " 95 %. Qui ne vaut pas mieux que les autres a 50 %, le trait du milieu.",
    ),
    # --- Jobs: what goes on when the page is closed ---
    "job_link": ("Link to this run", "Lien de ce calcul"),
    "job_link_info": (
        "It goes on when the page is closed or the phone is locked; its result waits here for 30 minutes.",
        "Il continue si la page est fermée ou le téléphone verrouillé ; son résultat attend ici 30 minutes.",
    ),
    "job_waiting": ("Waiting for its turn", "En attente de son tour"),
    "job_gone": (
        "There is nothing under this link any more: a result waits for {minutes} minutes.",
        "Il n'y a plus rien sous ce lien : un résultat attend {minutes} minutes.",
    ),
    "job_stopped": ("It was stopped before anything was finished.", "Tout a été arrêté avant d'avoir rien fini."),
    # --- Robustness ---
    "tab_robustness": ("Robustness", "Robustesse"),
    "robustness_lead": (
        "Your photo, taken as undamaged and grey, is damaged step by step by one degradation alone; every model"
        " restores each step.",
        "Votre photo, prise comme intacte et grise, est abîmée pas à pas par une seule dégradation ; chaque modèle"
        " restaure chaque étape.",
    ),
    "control": ("Degradation", "Dégradation"),
    "from": ("From", "De"),
    "to": ("To", "À"),
    "steps": ("Severities", "Intensités"),
    "measure": ("Measure", "Mesure"),
    "sweep_run": ("Run the stress test", "Lancer l'épreuve"),
    "sweep_plot": ("Measure against severity", "Mesure selon l'intensité"),
    "gain": ("Gain over the degraded photo (up is better)", "Gain sur la photo abîmée (vers le haut : mieux)"),
    "verdict_sentence": ("{control}, {measure}: {clauses}.", "{control}, {measure} : {clauses}."),
    "verdict_always": ("{name} helped at every strength tried", "{name} a aidé à chaque intensité essayée"),
    "verdict_never": ("{name} never helped", "{name} n'a jamais aidé"),
    "verdict_somewhere": ("{name} helped {where}", "{name} a aidé {where}"),
    "verdict_at": ("at {strength}", "à {strength}"),
    "verdict_until": ("up to {strength}", "jusqu'à {strength}"),
    "verdict_until_falling": ("down to {strength}", "en descendant jusqu'à {strength}"),
    "verdict_since": ("from {strength} up", "à partir de {strength}"),
    "verdict_since_falling": ("from {strength} down", "à partir de {strength} et en dessous"),
    "verdict_between": ("from {mild} to {severe}", "de {mild} à {severe}"),
    "verdict_and": ("{before} and {after}", "{before} et {after}"),
    "verdict_series": ("{before}; {after}", "{before} ; {after}"),
    "plot_alt": (
        "{measure} against {control}. From the mildest to the severest step: {lines}.",
        "{measure} selon {control}. De l'intensité la plus faible à la plus forte : {lines}.",
    ),
    "plot_line": ("{name} {first} to {last}", "{name} de {first} à {last}"),
    "strip": (
        "The pictures: a row per model, a column per severity",
        "Les images : une ligne par modèle, une colonne par intensité",
    ),
    "sweep_files": (
        "Downloads: table (CSV), plot, pictures, a recipe per severity",
        "Téléchargements : tableau (CSV), courbe, images, une recette par intensité",
    ),
    "sweep_stopped": ("It was stopped before {models}.", "L'épreuve a été arrêtée avant {models}."),
    "candidate": ("photo", "photo"),
    # --- Batch ---
    "tab_batch": ("Batch", "Par lots"),
    "batch_lead": (
        "Damaged photos in, a zip of restored ones out, with the names and subfolders of the input.",
        "Des photos abîmées en entrée, un zip de photos restaurées en sortie, avec leurs noms et sous-dossiers.",
    ),
    "size": ("Size", "Taille"),
    "size_own": ("each its own", "chacune la sienne"),
    "size_128": ("128×128", "128×128"),
    "batch_files": ("Photos, or zip archives of photos", "Photos, ou archives zip de photos"),
    "model_of_batch": ("Model", "Modèle"),
    "batch_run": ("Restore them all", "Tout restaurer"),
    "batch_zip": ("Results (zip)", "Résultats (zip)"),
    "batch_progress": ("Restoring {name}", "Restauration de {name}"),
    "batch_done": ("{done} of {total} restored.", "{done} sur {total} restaurées."),
    "batch_stopped": ("It was stopped: {left} not begun.", "Arrêt demandé : {left} non commencées."),
    "batch_failed": ("Not restored:", "Non restaurées :"),
    "batch_none": ("Choose photos first.", "Choisissez d'abord des photos."),
    # --- Recipe ---
    "recipe": ("Recipe of the last result", "Recette du dernier résultat"),
    "recipe_lead": (
        "Everything that made it but the photo. The same recipe gives the same pixels here, on the command line and in"
        " Python.",
        "Tout ce qui l'a fait, sauf la photo. La même recette donne les mêmes pixels ici, en ligne de commande et en"
        " Python.",
    ),
    "recipe_json": ("Recipe (JSON)", "Recette (JSON)"),
    "recipe_link": ("Link that reopens the app in this state", "Lien qui rouvre l'application dans cet état"),
    "recipe_load": ("Load a recipe file", "Charger un fichier de recette"),
    "recipe_apply": ("Apply the recipe above", "Appliquer la recette ci-dessus"),
    "recipe_loaded": (
        "The recipe is loaded; choose its photo and restore.",
        "La recette est chargée ; choisissez sa photo et restaurez.",
    ),
    # --- Sentences of the app itself ---
    "internal": (
        "Something went wrong here; the log has the details under {id}.",
        "Une erreur s'est produite ici ; le journal en donne le détail sous {id}.",
    ),
    "value_unknown": (
        "A control has a value that it cannot have; reload the page, and choose again.",
        "Un réglage a une valeur qu'il ne peut pas avoir ; rechargez la page, et choisissez de nouveau.",
    ),
    "disk_full": (
        "The disk of the machine that runs this is full; try again in an hour, when old files have gone.",
        "Le disque de la machine qui fait tourner ceci est plein ; réessayez dans une heure, quand les vieux fichiers "
        "auront disparu.",
    ),
    "gpu_failed": (
        "The GPU has failed, or has no memory left, so this ran on the CPU.",
        "Le GPU est en panne, ou n'a plus de mémoire ; ceci a donc été calculé par le processeur.",
    ),
    # --- About ---
    "about_tab": ("About", "À propos"),
}

i18n = gr.I18n(
    en={key: english for key, (english, _) in _TEXTS.items()},
    fr={key: french for key, (_, french) in _TEXTS.items()},
)


def is_french(request: gr.Request | None) -> bool:
    """Is French the visitor's first language? Gradio's own texts follow the browser's first language too."""
    accepted = (request.headers.get("accept-language") or "") if request else ""
    return re.match(r"\s*fr\b", accepted, re.IGNORECASE) is not None


def text(key: str, french: bool, **fields: object) -> str:
    """The sentence called ``key``, for what a handler writes."""
    return _TEXTS[key][french].format(**fields) if fields else _TEXTS[key][french]


def number(value: float, digits: int, french: bool, *, sign: bool = False) -> str:
    """``value`` as it is written in the language."""
    written = f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−").replace("inf", "∞")
    return written.replace(".", ",") if french else written
