"""The store in Elasticsearch: documents, bulk writes, their judging, reading back."""
