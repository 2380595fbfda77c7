"""What is written for whoever asked: files, and the console; both say in one sentence where they take no more."""
