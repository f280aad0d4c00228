"""Every sentence of the interface, in English and French."""

from __future__ import annotations

import gradio as gr

_TEXTS: dict[str, tuple[str, str]] = {
    "intro": (
        "# Restoration Lab\nDamage a photo, let a **VAE**, a **GAN** and a **CNN** restore and colourise it, and see"
        " which one you trust. The networks work at 128×128 and read the luminance only: the colours of a colour photo"
        " are taken away first, and guessed anew.",
        "# Restoration Lab\nAbîmez une photo, laissez un **VAE**, un **GAN** et un **CNN** la restaurer et la"
        " coloriser, et voyez auquel vous fier. Les réseaux travaillent en 128×128 et ne lisent que la luminance : les"
        " couleurs d'une photo en couleurs sont d'abord retirées, puis devinées.",
    ),
    "photo": ("Your photo", "Votre photo"),
    "examples": ("Or an example", "Ou un exemple"),
    "fit": ("How it becomes 128×128", "Mise au format 128×128"),
    "crop": ("crop", "recadrer"),
    "squash": ("squash", "déformer"),
    "pad": ("pad", "compléter"),
    "damage": ("Damage it first", "L'abîmer d'abord"),
    "preset": ("Preset", "Réglage"),
    "original": ("original: the original project's, at random", "original : celle du projet d'origine, au hasard"),
    "light": ("light", "léger"),
    "heavy": ("heavy", "lourd"),
    "off": ("off: the photo is damaged already", "aucun : la photo est déjà abîmée"),
    "seed": ("Seed", "Graine"),
    "dice": ("🎲 New seed", "🎲 Autre graine"),
    "grayscale": ("Grayscale", "Niveaux de gris"),
    "gaussian": ("Gaussian noise (sigma)", "Bruit gaussien (sigma)"),
    "salt_pepper": ("Salt or pepper (fraction of pixels)", "Sel ou poivre (fraction des pixels)"),
    "speckle": ("Speckle (relative sigma)", "Chatoiement (sigma relatif)"),
    "correlated": ("Correlated noise (sigma)", "Bruit corrélé (sigma)"),
    "lines": ("Vertical lines", "Lignes verticales"),
    "blur": ("Blur (kernel, pixels; 1 is off)", "Flou (noyau, pixels ; 1 : aucun)"),
    "jpeg": ("JPEG quality (100 is off)", "Qualité JPEG (100 : aucun)"),
    "model": ("Model", "Modèle"),
    "all": ("all three", "les trois"),
    "upscale": ("Upscale ×4 to 512×512", "Agrandir ×4 à 512×512"),
    "engine": ("Upscale with", "Agrandir avec"),
    "engine_auto": ("Real-ESRGAN (automatic)", "Real-ESRGAN (automatique)"),
    "engine_fast": ("Real-ESRGAN fast (animevideov3)", "Real-ESRGAN fast (animevideov3)"),
    "engine_general": ("Real-ESRGAN general (x4v3)", "Real-ESRGAN general (x4v3)"),
    "engine_x4plus": ("Real-ESRGAN x4plus: slow without a GPU", "Real-ESRGAN x4plus : lent sans GPU"),
    "engine_bicubic": ("bicubic filter: no network", "filtre bicubique : sans réseau"),
    "denoise": ("Denoise strength", "Force du débruitage"),
    "ran": (" ×4 by Real-ESRGAN, engine *{engine}*.", " ×4 par Real-ESRGAN, moteur *{engine}*."),
    "ran_denoise": (" Its denoise strength: {denoise:g}.", " Sa force de débruitage : {denoise:g}."),
    "fell_back": (
        " The better engine could not be used; the log says why.",
        " Le meilleur moteur n'a pas pu servir ; le journal dit pourquoi.",
    ),
    "ran_bicubic": (" ×4 by a bicubic filter, without a network.", " ×4 par un filtre bicubique, sans réseau."),
    "run": ("Restore", "Restaurer"),
    "reference": ("Original, 128×128", "Original, 128×128"),
    "degraded": ("Degraded", "Abîmée"),
    "measures": (
        "Higher is better for PSNR and SSIM, lower for CIEDE2000. In brackets: the change against the degraded photo."
        " All against the original at 128×128.",
        "Plus haut est mieux pour PSNR et SSIM, plus bas pour CIEDE2000. Entre parenthèses : l'écart avec la photo"
        " abîmée. Tout est mesuré contre l'original en 128×128.",
    ),
    "no_truth": (
        "The photo went in as it is, so there is nothing to measure the result against.",
        "La photo est entrée telle quelle : il n'y a rien à quoi mesurer le résultat.",
    ),
    "no_photo": ("Choose a photo first.", "Choisissez d'abord une photo."),
    "credits": (
        "Example photos: NASA / SpaceX (public domain), S. van der Walt and R. Michel (CC0), U.S. Navy (public domain),"
        " danielbuechele and vultilion (CC BY 2.0).",
        "Photos d'exemple : NASA / SpaceX (domaine public), S. van der Walt et R. Michel (CC0), U.S. Navy (domaine"
        " public), danielbuechele et vultilion (CC BY 2.0).",
    ),
}

i18n = gr.I18n(
    en={key: english for key, (english, _) in _TEXTS.items()},
    fr={key: french for key, (_, french) in _TEXTS.items()},
)


def text(key: str, request: gr.Request) -> str:
    """The sentence called ``key`` in the visitor's language, for what a handler writes."""
    english, french = _TEXTS[key]
    language = (request.headers.get("accept-language") or "") if request else ""
    return french if language.lower().startswith("fr") else english
