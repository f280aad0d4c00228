"""What puts the project on the web: its address, and the folder of a Hugging Face Space."""
