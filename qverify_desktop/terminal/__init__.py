"""What a terminal shows: answers on standard output, progress on standard error; one JSON document where asked for."""
