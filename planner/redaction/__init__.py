"""The one redactor that every sink and every provider passes, and what finds secret values in text."""
