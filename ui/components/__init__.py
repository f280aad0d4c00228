"""What several tabs show: pictures, and components of our own, each with its template, style and script."""
