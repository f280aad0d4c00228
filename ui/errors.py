"""The library's errors as a visitor reads them: in French too, and without the folders of this machine."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import gradio as gr
from gradio.exceptions import InvalidPathError

from restoration.types import ControlError, RestorationError

from .texts import is_french, text

logger = logging.getLogger(__name__)

FRENCH: dict[str, str] = {
    # image
    "photo_missing": "Le fichier {name} n'existe pas ; vérifiez son chemin.",
    "photo_folder": "{name} est un dossier ; indiquez une image qu'il contient.",
    "photo_forbidden": "Le fichier {name} ne peut pas être lu ; vérifiez ses droits d'accès.",
    "photo_empty": "Le fichier {name} est vide ; choisissez-en un autre.",
    "photo_unknown": "{name} n'est pas une image lisible ici ; enregistrez-la en PNG ou en JPEG.",
    "photo_format": "{name} est un fichier {format}, qui n'est pas lu ici ; enregistrez-le en JPEG ou en PNG.",
    "photo_partial": "Le fichier est tronqué ou abîmé : {share} % de la photo ont pu être lus, et le reste est vide.",
    "photo_coarse": "Le fichier est tronqué ou abîmé ; la photo est donc moins nette qu'elle ne l'était.",
    "photo_halved": "La photo est trop grande pour ici, et est lue à la moitié de sa taille ou moins.",
    "photo_pages": "Seule la première page du fichier est lue ; pages laissées de côté : {others}.",
    "photo_white": "Aucun pixel n'est au-dessus de {white}, qui est pris pour le blanc.",
    "photo_profile": "Le profil de couleur n'est pas utilisé ({reason}).",
    "photo_too_large": (
        "{name} est trop grande ; réduisez-la à moins de {most:g} mégapixels ({most_jpeg:g} pour un JPEG)."
    ),
    "photo_damaged": "Le fichier {name} est abîmé ou incomplet ({reason}) ; procurez-vous-en une nouvelle copie.",
    "photo_too_heavy": "{name} a plus de {most} Mo ; réduisez-la.",
    "photo_bomb": (
        "La lecture de {name} demande plus de temps ou de mémoire qu'une photo n'en devrait demander ; "
        "enregistrez-la de nouveau en PNG ou en JPEG."
    ),
    "photo_too_small": "{name} fait {width} × {height} pixels ; chaque côté doit en avoir au moins {least}.",
    "photo_32_bits": (
        "{name} a des pixels de 32 bits, pour lesquels aucun blanc n'est convenu ; enregistrez-la en 8 ou 16 bits."
    ),
    "photo_16_bits": (
        "{name} enregistre ses couleurs 16 bits d'une façon qui n'est pas lue ici ; enregistrez-la en 8 bits."
    ),
    "photo_too_long": (
        "Un fichier {suffix} contient au plus {most} pixels de côté, et non {width} × {height} ; choisissez .png."
    ),
    "suffix_unknown": "Le nom d'une image doit se terminer par {choices}, et non par « {suffix} ».",
    "fit_unknown": "La mise au format « {name} » n'existe pas ; choisissez parmi {choices}.",
    # degradations
    "control_no_number": "Le réglage « {name} » doit être un nombre, et non {value!r}.",
    "control_range": (
        "Le réglage « {name} » doit être compris entre {low:g} et {high:g} ({off:g} le désactive), et non {value}."
    ),
    "control_odd": "Le réglage « {name} » doit être un nombre impair, et non {value:g}.",
    "control_whole": "Le réglage « {name} » doit être un nombre entier, et non {value:g}.",
    "control_unknown": "Le réglage « {control} » n'existe pas ; choisissez parmi {controls}.",
    "grayscale_boolean": "Le réglage « grayscale » doit être vrai ou faux, et non {value!r}.",
    "preset_unknown": "Le préréglage « {name} » n'existe pas ; choisissez parmi {choices}.",
    "seed_whole": "La graine doit être un nombre entier positif ou nul, et non {seed!r}.",
    # models
    "model_spec": (
        "restoration/models/{file} ne définit aucun modèle ; donnez-lui un SPEC, ou un nom qui commence par _."
    ),
    "model_twice": (
        "restoration/models/{file} et {other} définissent tous deux le modèle {id!r} ; donnez un autre id à l'un d'eux."
    ),
    "model_unknown": "Le modèle « {name} » n'existe pas ; choisissez parmi {choices}.",
    # upscale
    "scale_unknown": "Le facteur d'agrandissement doit être 2 ou 4, et non {scale!r}.",
    "engine_unknown": "Le moteur « {name} » n'existe pas ; choisissez parmi {choices}.",
    "x2plus_scale": "Le moteur x2plus n'agrandit que deux fois ; choisissez le facteur 2, ou x4plus.",
    "denoise_engine": "Seul le moteur general a une force de débruitage ; choisissez-le, ou n'indiquez pas de force.",
    "denoise_range": "La force du débruitage doit être comprise entre 0 et 1, et non {denoise!r}.",
    "tile_range": "Une tuile doit avoir de 16 à 4096 pixels de côté, et non {tile!r}.",
    "upscale_too_large": (
        "Une photo de {width} × {height} est trop grande pour être agrandie {scale} fois ; "
        "réduisez-la à {pixels} pixels ({side} × {side}) au plus."
    ),
    "engine_undefined": (
        "Le moteur {engine} donne des nombres indéfinis en {precision} sur cet appareil ; "
        "utilisez l'appareil cpu, ou le moteur fast."
    ),
    "memory_upscale": (
        "La mémoire ne suffit pas pour agrandir {width} × {height} pixels d'un coup ; "
        "utilisez des tuiles plus petites (--tile 64 de la commande upscale), ou le moteur fast."
    ),
    # libraries
    "library_missing": (
        "Il manque au système la bibliothèque {file} ; installez le paquet qui la contient (sous Debian et Ubuntu sans "
        "doute par `apt-get install {package}`)."
    ),
    "library_broken": (
        "Une bibliothèque ne peut pas être chargée ({reason}) ; "
        "réinstallez ce que demande le projet, dans un nouvel environnement."
    ),
    # scratches
    "inpaint_size": "Les rayures se réparent à la taille de la photo ; choisissez cette taille, ou laissez-les.",
    "mask_unknown": "Le masque d'une recette est auto ou un SHA-256, et non {value!r}.",
    "mask_missing": "Cette recette a besoin du masque dessiné pour elle ; donnez-le aussi.",
    "mask_other": "Ce n'est pas le masque que nomme la recette ; donnez celui qui a été enregistré avec elle.",
    "mask_unread": "Le masque dessiné ne peut pas être lu ({reason}) ; dessinez-le de nouveau.",
    "mask_shape": (
        "Le masque fait {width} × {height} pixels, soit une autre forme que la photo ({photo_width} × "
        "{photo_height}) ; dessinez-le sur une copie de la photo qui n'est pas recadrée."
    ),
    "mask_photo": ("Le masque doit être noir, et blanc là où la photo est abîmée ; celui-ci ressemble à une photo."),
    "mask_most": (
        "{share:.0%} de la photo sont marqués comme abîmés : il reste trop peu pour les remplir ; "
        "marquez-en moins, ou diminuez la sensibilité."
    ),
    # weights
    "manifest_unreadable": (
        "{path} ne peut pas être lu ({reason}) ; rétablissez-le par `git checkout weights`, ou réinstallez le projet."
    ),
    "hub_name": (
        "{repo!r} n'est pas le nom d'un dépôt du Hub ; donnez à RESTORATION_HUB_REPO la forme UTILISATEUR/NOM."
    ),
    "weights_nowhere": "Il n'y a pas de poids à l'endroit indiqué, {path} ; vérifiez le chemin.",
    "weights_foreign": (
        "{path} ne contient pas de poids utilisables ici : {expected}, ou {originals} étaient attendus, "
        "et {found} y est ; "
        "donnez l'un des fichiers attendus."
    ),
    "original_missing": (
        "Pour {title}, il faut {files} du projet d'origine ; indiquez-le par --weights, ou mettez-le dans {folder}."
    ),
    "weights_twice": "{path} et {other} contiennent tous deux des poids pour {name} ; donnez l'un des deux.",
    "weights_unknown": "Le manifeste ne connaît pas les poids {name} ; entraînez-les et exportez-les d'abord.",
    "weights_missing": (
        "Le fichier {path} manque ; rétablissez-le par `git checkout weights`, ou réinstallez le projet."
    ),
    "weights_later": "Le fichier {name} n'est pas encore là ; il sera téléchargé de {url} au moment voulu.",
    "weights_unreadable": (
        "Le fichier {path} ne peut pas être lu ({reason}) ; vérifiez le chemin et les droits d'accès."
    ),
    "download_damaged": (
        "Le fichier {path} est abîmé (son SHA-256 n'est pas celui du manifeste) ; remplacez-le par une copie de {url}."
    ),
    "weights_damaged": (
        "Le fichier {path} est abîmé (son SHA-256 n'est pas celui du manifeste) ; "
        "rétablissez-le par `git checkout weights`, ou réinstallez le projet."
    ),
    "weights_undefined": (
        "Le fichier {path} contient des nombres infinis ou indéfinis ; "
        "procurez-vous-en une nouvelle copie, ou refaites l'entraînement."
    ),
    "weights_vast": (
        "Le fichier {path} donne des nombres indéfinis ; "
        "procurez-vous-en une nouvelle copie, ou refaites l'entraînement."
    ),
    "fetch_forbidden": (
        "Le fichier {name} n'est pas là, ou est abîmé, et HF_HUB_OFFLINE interdit de le télécharger ; "
        "supprimez cette variable, ou téléchargez vous-même {url} dans le dossier {folder}."
    ),
    "fetch_unconnected": (
        "Le fichier {name} n'a pas pu être téléchargé : {host} est injoignable, ou s'est interrompu ; "
        "réessayez, ou téléchargez vous-même {url} dans le dossier {folder}."
    ),
    "fetch_refused": (
        "Le fichier {name} n'a pas pu être téléchargé : {url} est privé, ou n'existe pas ; "
        "vérifiez RESTORATION_HUB_REPO, ou connectez par `hf auth login` un compte qui y a accès."
    ),
    "fetch_absent": (
        "Le fichier {name} n'a pas pu être téléchargé : il n'y a rien à {url} ; "
        "vérifiez RESTORATION_HUB_REPO, ou mettez à jour ce projet, dont weights/manifest.json indique ce fichier."
    ),
    "fetch_wrong": (
        "Ce que {host} donne pour {name} est un autre fichier (son SHA-256 n'est pas celui du manifeste) ; "
        "mettez à jour ce projet, ou prévenez qui a publié le fichier."
    ),
    "fetch_settings": (
        "Le fichier {name} n'a pas pu être téléchargé de {url} ({reason}) ; "
        "vérifiez HF_ENDPOINT, HF_TOKEN, HTTPS_PROXY et ALL_PROXY."
    ),
    "cache_unwritable": (
        "Le fichier {name} ne peut pas être gardé dans {folder} ({reason}) ; "
        "donnez à HF_HOME un dossier où l'on peut écrire et qui a de la place."
    ),
    "fetch_failed": (
        "Le fichier {name} n'a pas pu être téléchargé ({reason}) ; "
        "réessayez, ou téléchargez vous-même {url} dans le dossier {folder}."
    ),
    "weights_pickle": (
        "{path} ne contient pas de poids lisibles (seuls les tenseurs le sont, jamais du code) ; "
        "procurez-vous-en une nouvelle copie."
    ),
    "weights_incomplete": (
        "{path} n'est pas un fichier safetensors complet ({reason}) ; "
        "donnez-en un, ou procurez-vous-en une nouvelle copie."
    ),
    # restorer
    "device_unknown": "L'appareil « {device} » n'existe pas ; choisissez parmi {choices}.",
    "device_missing": "Il n'y a pas de GPU {maker} ici ; utilisez l'appareil cpu ou auto.",
    "weights_unused": (
        "{path} contient des poids pour {held}, ce qui n'est pas demandé ; retirez-le, ou choisissez cela."
    ),
    "models_same": "{name} et {other} sont ici le même réseau ; n'en laissez qu'un.",
    "weights_of_another": (
        "{path} contient les poids d'un autre réseau ({reason}) ; "
        "utilisez un fichier fait pour ce modèle et cette version."
    ),
    "memory_load": "La mémoire ne suffit pas pour charger {name} ; fermez d'autres programmes.",
    "samples": "Il peut y avoir de 2 à {most} tirages, et non {n}.",
    # recipe
    "recipe_none": "Ceci n'est pas une recette ; utilisez le JSON que donne un rapport ou l'application.",
    "recipe_schema": (
        "Cette recette suit le schéma {schema!r}, mais ce programme lit le schéma {known} ; "
        "refaites-la avec cette version."
    ),
    "recipe_json": "Ceci n'est pas du JSON ({reason}) ; collez une recette entière.",
    "recipe_link": "La recette de ce lien est incomplète ; copiez le lien en entier.",
    "recipe_of_several": "{path} énumère plusieurs photos ; enregistrez la recette de celle que vous voulez.",
    "recipe_unreadable": "{path} ne peut pas être lu comme une recette ({reason}) ; donnez un fichier JSON.",
    "recipe_mismatch": (
        "Cette recette a été faite ailleurs, et ceci y différait : {what} ; "
        "les pixels peuvent s'écarter un peu de ceux de son résultat."
    ),
    "recipe_field": "Le champ « {field} » de la recette ne peut pas être {value!r} ; utilisez le JSON d'un rapport.",
    "recipe_unknown": "Cette recette a un champ « {field} » que cette version ne connaît pas.",
    "colour_unknown": "Il n'y a pas de couleur appelée {name!r} ; choisissez parmi {choices}.",
    "recipe_own": (
        "Ces réglages abîment une photo en 128x128, sans autre réglage, ou la restaurent entière, sans l'abîmer ; "
        "rejouez cette recette en ligne de commande."
    ),
    "recipe_mask": (
        "Cette recette répare d'après un masque dessiné ; rejouez-la en ligne de commande avec ce masque (--mask)."
    ),
    "range": "{name} doit être un nombre de 0 à {most}, pas {value!r}.",
    "look_sample_kept": (
        "Un échantillon est fait de couleurs devinées ; n'en demandez pas, ou choisissez de nouvelles couleurs."
    ),
    "look_sample": "L'échantillon doit être un nombre entier de 1 à {most}, pas {value!r}.",
    "memory_whole": (
        "Il n'y a pas assez de mémoire pour restaurer {width}x{height} pixels ; fermez d'autres programmes, ou"
        " réduisez-la."
    ),
    "samples_none": "{model} n'a pas d'échantillons ; ne demandez pas d'échantillon.",
    "size_original": "{model} ne restaure que 128x128 pixels ; choisissez la taille 128, sans autre réglage.",
    "size_unknown": "La taille d'une photo est own ou 128, pas {size!r}.",
    "photo_failed": "{name} a échoué ({reason}).",
    "recipe_unfit": "Cette recette ne restaure rien ; utilisez celle d'une restauration.",
    "recipe_one_model": (
        "Ce point d'accès restaure par un seul modèle ; n'en laissez qu'un dans la recette, ou utilisez compare."
    ),
    # votes
    "vote_none": "{value!r} n'est pas un vote ; utilisez un fichier de votes tel qu'il a été écrit.",
    "votes_unreadable": (
        "{path} n'a pas de votes lisibles ({reason}) ; indiquez le fichier votes.sqlite du dossier d'une application,"
        " ou un fichier .jsonl de son jeu de données."
    ),
    "votes_unwritable": (
        "Les votes ne peuvent pas être gardés dans {place} ({reason}) ; faites-y de la place, ou indiquez un autre"
        " dossier."
    ),
    "votes_repo": (
        "Les votes ne peuvent pas être gardés dans le jeu de données {repo} ({reason}) ; vérifiez {variable}, et que"
        " HF_TOKEN permet d'y écrire."
    ),
    "ticket_unknown": "Ce vote n'est pas sur des images montrées ici ; faites-en tirer de nouvelles.",
    "ticket_expired": "Ces images ont été tirées il y a plus de {minutes} minutes ; faites-en tirer de nouvelles.",
    "ticket_used": "Vous avez déjà voté sur ces images ; faites-en tirer de nouvelles.",
    "ticket_rate": "Cela ferait plus de {most} votes par minute ; attendez un peu.",
    # api
    "tile_small": "Des tuiles de {tile} pixels prennent trop de temps ici ; prenez-en de {least} ou plus.",
    "inputs_missing": "Cette fonction attend {wanted} valeurs, et non {given} ; voyez /gradio_api/info.",
    "inputs_odd": "Un paramètre manque ou n'existe pas ({reason}) ; voyez /gradio_api/info.",
    "choice_unknown": "Le paramètre « {name} » doit être l'un de {choices}, et non {value!r}.",
    "number_too_large": "Le paramètre « {name} » doit être au plus {most}.",
    "photo_unfetched": "La photo n'a pas pu être téléchargée ; vérifiez que {url} est une adresse publique.",
    "photo_not_sent": (
        "La photo doit être un fichier envoyé ou une adresse du web ; "
        "en Python, handle_file(...) donne l'un ou l'autre."
    ),
    # archive
    "archive_empty": "{name} ne contient aucun fichier ; mettez-y des photos.",
    "archive_too_large": "{name} contient plus de {most} Mo de photos ; répartissez-les en plusieurs archives.",
    "archive_too_many": "{name} contient plus de {most} fichiers ; répartissez-les en plusieurs archives.",
    "archive_unreadable": "L'archive {name} ne peut pas être ouverte ; vérifiez son chemin et ses droits d'accès.",
    "archive_damaged": (
        "{name} n'est pas une archive zip, ou est abîmée ou incomplète ; refaites-la ou téléchargez-la de nouveau."
    ),
    "archive_overlap": (
        "{name} a des fichiers qui partagent les mêmes octets, ce que ne fait aucune archive saine ; refaites-la."
    ),
    "archive_member_damaged": "{name} est abîmé dans l'archive ; refaites-la ou téléchargez-la de nouveau.",
    "archive_path": "{name} ne désigne pas un endroit dans l'archive ; renommez ce fichier.",
    "archive_long_name": "{name}... a un nom trop long ; raccourcissez-le.",
    "archive_special": "{name} est un lien, ou n'est pas un fichier ; mettez la photo elle-même dans l'archive.",
    "archive_no_photo": (
        "{name} n'est pas une photo, ou est d'un type qui n'est pas lu ici ; retirez ce fichier, ou enregistrez-le en "
        "PNG ou en JPEG."
    ),
    "archive_encrypted": "{name} est chiffré ; mettez ce fichier dans l'archive sans mot de passe.",
    "archive_method": "{name} est compressé d'une façon qui n'est pas lue ici ; faites une archive zip ordinaire.",
    "archive_large_file": "{name} a plus de {most} Mo ; réduisez ce fichier.",
    "archive_nested": "{name} est lui-même une archive ; décompressez-la d'abord.",
    "archive_repeated": "{name} est deux fois dans l'archive ; renommez le second.",
    # jobs
    "jobs_full": "{most} tâches de ce genre attendent déjà ; réessayez dans quelques minutes.",
    # robustness
    "sweep_steps": "Un balayage a de 2 à {most} pas, et non {steps!r}.",
    "sweep_range": "Un balayage va d'une force à une force plus grande, et non de {low:g} à {high:g}.",
    "measure_unknown": "Il n'y a pas de courbe de « {measure} » ; choisissez parmi {measures}.",
}

_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^/\s'\"]+/)+")


def sentence(error: RestorationError, french: bool) -> str:
    """What ``error`` says, in French where there is French for it. Of each path only the last part is shown, also of
    one that a library's ``reason`` quotes.
    """
    template = FRENCH.get(error.code, error.template) if french else error.template
    shown = {name: value.name if isinstance(value, Path) else value for name, value in error.fields.items()}
    if "reason" in shown:
        shown["reason"] = _FOLDERS.sub("", str(shown["reason"]))
    return template.format(**shown)


def not_sent() -> ControlError:
    """The refusal of what is no file that the visitor sent."""
    return ControlError(
        "photo_not_sent",
        "The photo must be an uploaded file or a web address; in Python, handle_file(...) makes either.",
    )


@contextmanager
def shown(request: gr.Request | None) -> Iterator[None]:
    """What goes wrong inside is shown to the visitor in one sentence of theirs; only what nobody foresaw is logged."""
    french = is_french(request)
    try:
        yield
    except gr.Error as error:
        if error.print_exception:  # Gradio's own, of a value that its component cannot have, which it repeats whole
            raise refuse("value_unknown", request) from error
        raise
    except RestorationError as error:
        raise gr.Error(sentence(error, french), print_exception=False) from error
    except InvalidPathError as error:
        raise gr.Error(sentence(not_sent(), french), print_exception=False) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise refuse("disk_full", request) from error
        trace = uuid4().hex[:8]
        logger.exception("error %s", trace)
        raise gr.Error(text("internal", french, id=trace), print_exception=False) from error


def refuse(key: str, request: gr.Request | None) -> gr.Error:
    """The error that says ``key`` of `texts`."""
    return gr.Error(text(key, is_french(request)), print_exception=False)
