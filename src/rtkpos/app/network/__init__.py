"""`rtkpos network`: stations checked, solved, drawn, and virtual bases made."""
