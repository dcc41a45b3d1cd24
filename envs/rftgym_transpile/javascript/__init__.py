"""The small corpus of JavaScript: programs, their Python, and the recorder of what Node.js makes of them."""
