"""What strangers make necessary: requests are filtered, photos decoded apart, files deleted, Gradio's holes closed."""
