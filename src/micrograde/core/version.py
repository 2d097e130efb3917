"""The version of micrograde; the build reads it here."""

VERSION = "0.1.0"
