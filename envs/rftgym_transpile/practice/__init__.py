"""Random short Java methods with their Python translations, both written from one syntax tree."""
