"""What the packages behind the scripts share; they never import each other."""
