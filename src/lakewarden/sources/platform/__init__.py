"""What is deployed and what happened: sources that ask hosts."""
