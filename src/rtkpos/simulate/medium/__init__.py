"""What lies between satellite and antenna: delays, fields, light time, surroundings."""
