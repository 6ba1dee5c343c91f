"""Tables that are fetched from elsewhere: the Hugging Face Hub, file by file and without a script of theirs."""
