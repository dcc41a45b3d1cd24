"""How the data of this environment were made: by Stockfish, from seeded games and endgames. Run by hand."""
