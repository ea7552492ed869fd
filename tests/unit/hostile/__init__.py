"""Answers that no honest server gives: every parser of an answer fails in our own words, in time, in bounded memory."""
