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
    "about_contents": ("On this page", "Sur cette page"),
    "about_models": ("The networks", "Les réseaux"),
    "about_models_lead": (
        "All learned at {side}×{side} pixels and read the luminance of a photo alone: light and shade are the evidence,"
        " colour is the guess. Each restores the detail, undoes what has faded, looks at the result through an encoder"
        " that learned on ImageNet what things are and that all three share, and says which colours there were: the"
        " same eyes, three minds. Each restores the photo and its mirror image, and gives the mean of both.",
        "Tous ont appris en {side}×{side} pixels et ne lisent que la luminance d'une photo : l'ombre et la lumière"
        " sont un constat, la couleur une supposition. Chacun restaure le détail, rend ce qui a pâli, regarde le"
        " résultat par un encodeur qui a appris sur ImageNet ce que sont les choses et que tous trois partagent, et"
        " dit quelles étaient les couleurs : les mêmes yeux, trois esprits. Chacun restaure la photo et son image en"
        " miroir, et donne la moyenne des deux.",
    ),
    "about_whole": (
        "A photo that is damaged already is restored whole, at its own size: its detail in overlapping tiles; its tone"
        " and its colours once, found on the whole of it made small, the colours laid on along its edges. Colours that"
        " are real are kept, without their noise; where a photo is grey, or toned in one hue, they are guessed. A photo"
        " that is degraded first, to compare the networks and to test them, is made {side}×{side}, and all its colours"
        " are guessed.",
        "Une photo déjà abîmée est restaurée entière, à sa propre taille : le détail par tuiles qui se recouvrent ; les"
        " tons et les couleurs une seule fois, trouvés sur la photo entière réduite, les couleurs étant posées le long"
        " des contours. Les vraies couleurs sont gardées, sans leur bruit ; si la photo est grise, ou teintée d'une"
        " seule nuance, elles sont devinées. Une photo que l'on abîme d'abord, pour comparer les réseaux et les mettre"
        " à l'épreuve, est mise en {side}×{side}, et toutes ses couleurs sont devinées.",
    ),
    "about_vae": (
        "A U-Net restores the detail; a conditional <em>variational autoencoder</em> finds the colours. What the"
        " encoder sees carries all that grey shows; a gaussian latent says which of several plausible colourings is"
        " meant. Its mean restores the photo; other draws give other colours. It was taught by the squared error, by"
        " the divergence (KL) between its latent and the one that an encoder of the true colours finds, and by a nudge"
        " towards as much colour as the truth has. After Sohn et al. 2015 and Deshpande et al. 2017.",
        "Un U-Net restaure le détail ; un <em>autoencodeur variationnel</em> conditionnel trouve les couleurs. Ce que"
        " voit l'encodeur porte tout ce que montre le gris ; une variable latente gaussienne dit laquelle de plusieurs"
        " mises en couleurs plausibles est voulue. Sa moyenne restaure la photo ; d'autres tirages donnent d'autres"
        " couleurs. Il a appris par l'erreur quadratique, par la divergence (KL) entre sa variable latente et celle"
        " que trouve un encodeur des vraies couleurs, et par une légère incitation à mettre autant de couleur que"
        " l'original. D'après Sohn et al. 2015 et Deshpande et al. 2017.",
    ),
    "about_gan": (
        "The generator of a conditional <em>generative adversarial network</em>: a U-Net for the detail and one on the"
        " encoder for the colours. It was taught by the squared error for most of the time; at the end a patch"
        " discriminator judged it, which learns to tell its pictures from photos, together with a perceptual loss and"
        " pressure for as much colour as the truth has. So it would rather look real than be safe. The discriminator is"
        " not needed to restore, and not part of the released file. After Isola et al. 2017 and DeOldify.",
        "Le générateur d'un <em>réseau antagoniste génératif</em> conditionnel : un U-Net pour le détail et un autre,"
        " sur l'encodeur, pour les couleurs. Il a surtout appris par l'erreur quadratique ; à la fin, un discriminateur"
        " de petites zones l'a jugé, qui apprend à distinguer ses images de photos, avec une perte perceptuelle et une"
        " pression vers autant de couleur que l'original. Il préfère donc paraître vrai plutôt que rester prudent. Le"
        " discriminateur ne sert pas à restaurer et n'est pas dans le fichier publié. D'après Isola et al. 2017 et"
        " DeOldify.",
    ),
    "about_cnn": (
        "Two plain <em>convolutional networks</em> in sequence. The first restores the luminance with residual blocks"
        " at several sizes; the second, a U-Net on the encoder, sees the restored luminance alone and colours it. Each"
        " was taught by its own squared error, so they answer doubt with a mean: mostly right, and pale. After Zhang"
        " et al. 2018 and 2021 (FFDNet, DRUNet).",
        "Deux <em>réseaux convolutifs</em> simples à la suite. Le premier restaure la luminance par des blocs résiduels"
        " à plusieurs tailles ; le second, un U-Net sur l'encodeur, ne voit que la luminance restaurée et la met en"
        " couleurs. Chacun a appris par sa propre erreur quadratique, et répond donc au doute par une moyenne : juste"
        " le plus souvent, et pâle. D'après Zhang et al. 2018 et 2021 (FFDNet, DRUNet).",
    ),
    "about_parameters": ("Parameters", "Paramètres"),
    "about_file": ("File", "Fichier"),
    "about_size": ("Size", "Taille"),
    "about_mb": ("{size} MB", "{size} Mo"),
    "about_sha256": ("SHA-256 begins", "Début du SHA-256"),
    "about_training": ("Training", "Entraînement"),
    "about_trained": (
        "{photos} photos seen in {minutes} minutes on two CPU cores",
        "{photos} photos vues en {minutes} minutes sur deux cœurs de processeur",
    ),
    "about_untold": ("not recorded", "non consigné"),
    "about_licence": ("Licence", "Licence"),
    "about_d_legend": (
        "The restored luminance goes into the photo as it is, beside the colours that were found in it. Dashed: in"
        " training only.",
        "La luminance restaurée passe telle quelle dans la photo, à côté des couleurs qu'on y a trouvées. Tirets : à"
        " l'entraînement seulement.",
    ),
    "about_d_title": ("Diagram of the {model}", "Schéma du {model}"),
    "about_d_in": ("Damaged photo", "Photo abîmée"),
    "about_d_grey": ("luminance", "luminance"),
    "about_d_detail": ("1. Detail", "1. Détail"),
    "about_d_channels": ("{widths} channels", "{widths} canaux"),
    "about_d_tone": ("2. Tone", "2. Tons"),
    "about_d_tone_use": ("six numbers: how it has faded", "six nombres : comment elle a pâli"),
    "about_d_encoder": ("3. Encoder, shared and frozen", "3. Encodeur commun et figé"),
    "about_d_encoder_use": ("EfficientNet-Lite0: what things are", "EfficientNet-Lite0 : ce que sont les choses"),
    "about_d_latent": ("Gaussian latent: {latent} numbers", "Variable latente : {latent} nombres"),
    "about_d_latent_use": ("mean: the result; draws: other colours", "moyenne : le résultat ; tirages : variantes"),
    "about_d_posterior": ("Encoder of the true colours", "Encodeur des vraies couleurs"),
    "about_d_posterior_use": ("training only: teaches the latent", "à l'entraînement seulement"),
    "about_d_colour": ("4. Colours", "4. Couleurs"),
    "about_d_out": ("Restored photo", "Photo restaurée"),
    "about_d_discriminator": ("Patch discriminator", "Discriminateur de petites zones"),
    "about_d_discriminator_use": (
        "training only: {patches} times “real or made?”",
        "entraînement : {patches} fois « vrai ou fabriqué ? »",
    ),
    "about_scores": ("Scores on unseen photos", "Scores sur des photos jamais vues"),
    "about_scores_lead": (
        "{photos} photos (<code>{shard}</code>) that no network was trained or tuned on, centre crop, damaged by the"
        " original project's random recipe. Every score is against the undamaged photo; every gain is over the degraded"
        " input: its mean and, below, its 95 % interval (bootstrap).",
        "{photos} photos (<code>{shard}</code>) sur lesquelles aucun réseau n'a été entraîné ni réglé, recadrées au"
        " centre, abîmées par la recette aléatoire du projet d'origine. Chaque score est mesuré par rapport à la photo"
        " intacte ; chaque gain est pris sur l'entrée abîmée : sa moyenne et, dessous, son intervalle à 95 %"
        " (bootstrap).",
    ),
    "about_degraded": ("Degraded input", "Entrée abîmée"),
    "about_gain": ("gain {gain}", "gain {gain}"),
    "about_interval": ("{low} to {high}", "{low} à {high}"),
    "about_of_truth": ("{share} % of the truth's", "{share} % de l'original"),
    "about_original": (
        "A network of the original student project, with its checkpoint that lies in weights/; not measured here.",
        "Un réseau du projet étudiant d'origine, avec les poids déposés dans weights/ ; il n'a pas été mesuré ici.",
    ),
    "about_unscored": ("no scores yet", "pas encore de scores"),
    "about_stale": (
        "These scores are of other weights than the released ones, which are yet to be measured: {models}.",
        "Ces scores sont ceux d'autres poids que les poids publiés, qui restent à mesurer : {models}.",
    ),
    "about_which": ("Which is best?", "Lequel est le meilleur ?"),
    "about_leads": ("The {model} leads in all of these measures.", "Le {model} mène dans toutes ces mesures."),
    "about_leads_differ": (
        "No network leads in all of these measures: the best one depends on what you want of it.",
        "Aucun réseau ne mène dans toutes ces mesures : le meilleur dépend de ce qu'on en attend.",
    ),
    "about_places": ("<strong>{measure}</strong>: {places}.", "<strong>{measure}</strong> : {places}."),
    "about_close": (
        "Over the same photos, the first two differ by no more than chance.",
        "Sur les mêmes photos, les deux premiers ne diffèrent pas plus que par hasard.",
    ),
    "about_measures": ("What the measures say", "Ce que disent les mesures"),
    "about_measure_psnr_luminance": ("Luminance PSNR (dB)", "PSNR de la luminance (dB)"),
    "about_means_psnr_luminance": (
        "How close light and shade come to the truth. Decibels, higher is closer; 3 dB more is half the squared error.",
        "À quel point l'ombre et la lumière approchent de l'original. En décibels, plus haut est plus proche ; 3 dB de"
        " plus : moitié moins d'erreur quadratique.",
    ),
    "about_measure_psnr": ("RGB PSNR (dB)", "PSNR RVB (dB)"),
    "about_means_psnr": (
        "The same for the picture with its colours, higher is closer. A wrong colour costs more than none.",
        "De même pour l'image avec ses couleurs, plus haut est plus proche. Une couleur fausse coûte plus que pas de"
        " couleur.",
    ),
    "about_measure_ssim": ("SSIM", "SSIM"),
    "about_means_ssim": (
        "Whether edges and textures are where the truth has them; 1 is equal, higher is closer.",
        "Si contours et textures sont à la même place que dans l'original ; 1 : identique, plus haut est plus proche.",
    ),
    "about_measure_lpips": ("LPIPS", "LPIPS"),
    "about_means_lpips": (
        "How far a network trained on pictures (SqueezeNet) finds the two apart, which agrees better with the eye;"
        " 0 is equal, lower is closer, so a negative gain is good.",
        "L'écart que trouve un réseau entraîné sur des images (SqueezeNet), plus conforme à l'œil ; 0 : identique, plus"
        " bas est plus proche, un gain négatif est donc bon.",
    ),
    "about_measure_colourfulness": ("Colourfulness", "Vivacité des couleurs"),
    "about_means_colourfulness": (
        "How vivid the colours are, as a share of the truth's: 100 % is as vivid as the truth, whether right or wrong.",
        "L'intensité des couleurs, en part de celle de l'original : à 100 % elles sont aussi vives, justes ou fausses.",
    ),
    "about_measure_colour_adds": ("Colour adds (dB)", "Apport des couleurs (dB)"),
    "about_means_colour_adds": (
        "RGB PSNR less that of the same picture in grey: what the network's colours are worth. Below 0 they cost more"
        " than they bring.",
        "Le PSNR RVB, moins celui de la même image en gris : ce que valent les couleurs du réseau. Sous 0, elles"
        " coûtent plus qu'elles n'apportent.",
    ),
    "about_limits": ("Known limits", "Limites connues"),
    "about_limits_list": (
        "At a photo's own size, large specks and scratches stay unless they are mended, for which a thread or a letter"
        " may be taken too; small glints may go, and fading is undone only where it is plain. A photo that is made"
        " {side}×{side} loses its fine detail, and nothing brings it back.\n"
        "Colours that are not the photo's own are a guess from grey: plausible at best, often muted, sometimes wrong.\n"
        "Faces come back as faces, not as a person's. Do not use a result to recognise somebody, or to establish what"
        " an old photo showed.\n"
        "The networks know simulated damage only: noise, lines, blur, JPEG, fading, thin scratches, dust. Folds, tears"
        " and stains were not in it; what finds scratches has seen them drawn.\n"
        "Real-ESRGAN invents what it adds: its fast engine may look painted, the largest one redraws textures.\n"
        "The training photos are of the web of some years ago, and lean to portraits, pets and ten kinds of thing"
        " (Imagenette); crowds are few.",
        "À la taille d'une photo, les grandes taches et rayures restent à moins d'être réparées, et un fil ou une"
        " lettre peuvent passer pour telles ; de petits reflets peuvent disparaître, et la pâleur n'est corrigée que"
        " si elle est nette. Une photo mise en {side}×{side} perd ses détails fins, et rien"
        " ne les ramène.\n"
        "Les couleurs qui ne sont pas celles de la photo sont devinées à partir du gris : plausibles au mieux, souvent"
        " ternes, parfois fausses.\n"
        "Un visage revient comme un visage, non comme celui d'une personne. N'utilisez pas un résultat pour reconnaître"
        " quelqu'un, ni pour établir ce que montrait une photo ancienne.\n"
        "Les réseaux ne connaissent que des dégâts simulés : bruit, lignes, flou, JPEG, pâleur, fines rayures,"
        " poussière. Plis, déchirures et taches n'en faisaient pas partie ; ce qui trouve les rayures en a vu de"
        " dessinés.\n"
        "Real-ESRGAN invente ce qu'il ajoute : son moteur rapide peut avoir l'air peint, le plus grand redessine les"
        " textures.\n"
        "Les photos d'entraînement viennent du web d'il y a quelques années et penchent vers les portraits, les animaux"
        " de compagnie et dix sortes de choses (Imagenette) ; les foules sont rares.",
    ),
    "about_provenance": ("Where data and weights come from", "D'où viennent les données et les poids"),
    "about_data": ("Training photos", "Photos d'entraînement"),
    "about_data_text": (
        "Of a first gathering: ImageNet samples and Imagenette (ImageNet terms: non-commercial research), Caltech-101"
        " (CC BY 4.0, photos from the web), Intel scenes, a Flickr8k subset, a COCO subset, web-gathered faces (no"
        " licence stated: research use), food photos (CC BY, CC BY-SA, public domain), clothing (CC0) and Debian's"
        " wallpapers. Of a second, a little more than half: portraits of many origins and ages, people in streets,"
        " everyday scenes, houses and rooms, animals, cars, weather, clothing and groceries, most for research use"
        " only. Shorter side 128 to 160 pixels. The cards in weights/ name the sets and what they lean to.",
        "D'une première collecte : des extraits d'ImageNet et Imagenette (conditions d'ImageNet : recherche non"
        " commerciale), Caltech-101 (CC BY 4.0, photos du web), les scènes d'Intel, une partie de Flickr8k, une partie"
        " de COCO, des visages recueillis sur le web (sans licence indiquée : usage de recherche), des photos de plats"
        " (CC BY, CC BY-SA, domaine public), de vêtements (CC0) et les fonds d'écran de Debian. D'une seconde, un peu"
        " plus de la moitié : des portraits de toutes origines et de tous âges, des passants, des scènes de tous les"
        " jours, des maisons et des pièces, des animaux, des voitures, le temps qu'il fait, des vêtements et des"
        " courses, pour la recherche seulement le plus souvent. Petit côté de 128 à 160 pixels. Les fiches de weights/"
        " nomment ces collections et leurs penchants.",
    ),
    "about_weights": ("Weights", "Poids"),
    "about_weights_text": (
        "The networks that restore were trained for this project on two CPU cores; the encoder through which they look"
        " is EfficientNet-Lite0 as it was trained on ImageNet by its authors. The networks that enlarge are those of"
        " the authors of"
        ' <a href="https://github.com/xinntao/Real-ESRGAN" target="_blank" rel="noopener">Real-ESRGAN</a>, unchanged'
        " (one of them rounded to 16 bits). A file is used only if its SHA-256 is the one recorded here.",
        "Les réseaux qui restaurent ont été entraînés pour ce projet, sur deux cœurs de processeur ; l'encodeur par"
        " lequel ils regardent est EfficientNet-Lite0, tel que ses auteurs l'ont entraîné sur ImageNet. Ceux qui"
        " agrandissent sont ceux des auteurs de"
        ' <a href="https://github.com/xinntao/Real-ESRGAN" target="_blank" rel="noopener">Real-ESRGAN</a>, inchangés'
        " (l'un d'eux arrondi à 16 bits). Un fichier ne sert que si son SHA-256 est celui consigné ici.",
    ),
    "about_examples": ("Example photos", "Photos d'exemple"),
    "about_example": ("Photo", "Photo"),
    "about_credit": ("Credit, licence", "Crédit, licence"),
    "about_public_domain": ("public domain", "domaine public"),
    "about_wallpapers": ("Debian's lomiri-wallpapers", "lomiri-wallpapers de Debian"),
    "about_privacy": ("Your photos", "Vos photos"),
    "about_privacy_text": (
        "Your photos are processed on the server that runs this app, kept for at most an hour in its temporary folder,"
        " and never used for training.",
        "Vos photos sont traitées sur le serveur qui fait tourner cette application, gardées au plus une heure dans son"
        " dossier temporaire, et ne servent jamais à l'entraînement.",
    ),
    "about_licences": ("Licence", "Licence"),
    "about_licences_text": (
        "The code is under the MIT licence. The weights of the networks that restore: {weights}. Those of the networks"
        " that enlarge: {upscalers}.",
        "Le code est sous licence MIT. Les poids des réseaux qui restaurent : {weights}. Ceux des réseaux qui"
        " agrandissent : {upscalers}.",
    ),
    "about_licence_weights": (
        "non-commercial research and demonstration: the training photos allow no more",
        "recherche et démonstration non commerciales, les photos d'entraînement ne permettant pas davantage",
    ),
    "about_cite": ("How to cite", "Comment citer"),
    "about_cite_text": (
        "For an enlarged picture, cite Real-ESRGAN too (Wang et al. 2021). The entry for this project:",
        "Pour une image agrandie, citez aussi Real-ESRGAN (Wang et al. 2021). La référence de ce projet :",
    ),
    "about_bibtex": ("BibTeX entry", "Référence BibTeX"),
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
