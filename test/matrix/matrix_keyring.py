"""A keyring with one entry, told by the environment, that notes for which service it was asked."""
import os

from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential


class Keyring(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        credential = self.get_credential(service, username)
        return None if credential is None else credential.password

    def get_credential(self, service, username):
        with open(os.environ["MATRIX_KEYRING_LOG"], "a", encoding="utf-8") as log:
            log.write(f"{service}\n")
        user = os.environ["MATRIX_KEYRING_USER"]
        if os.environ["MATRIX_KEYRING_SERVICE"] not in service or username not in (None, user):
            return None
        return SimpleCredential(user, os.environ["MATRIX_KEYRING_PASSWORD"])

    def set_password(self, service, username, password):
        raise NotImplementedError
