"""The interface, the only place that imports gradio; every sentence is in `texts`."""
