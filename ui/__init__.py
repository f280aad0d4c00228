"""The interface, the only place that imports gradio: one file per tab, every sentence in `texts`."""
