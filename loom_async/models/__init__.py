"""The classes that users extend."""
