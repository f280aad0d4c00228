"""Every sentence of the app, as Gradio is given it."""

from __future__ import annotations

from ui.texts import i18n

ENGLISH, FRENCH = (i18n.translations_dict[language] for language in ("en", "fr"))
SENTENCES = {key: (sentence, FRENCH.get(key, "")) for key, sentence in ENGLISH.items()}
"""In English and in French, by key."""
