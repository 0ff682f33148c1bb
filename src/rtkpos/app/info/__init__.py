"""`rtkpos info`: what files hold, and whether they serve as a pair."""
