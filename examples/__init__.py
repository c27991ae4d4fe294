"""Small programs for those who connect to pitcall; the demonstration runs them too. They need the standard library only."""
