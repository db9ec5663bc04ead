"""Files by their URIs: in a directory or in S3, each read and written only below a prefix."""
