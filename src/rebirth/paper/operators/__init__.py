"""What operators, provisioners and copiers on paper make."""
