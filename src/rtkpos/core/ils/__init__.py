"""Integer least squares: decorrelation, search, success rate and ratio test."""
