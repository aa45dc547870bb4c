/** Of a vault that is to be sealed, and nothing names the key. */
export const NO_VAULT_KEY = {
  message: "The sealed vault has no key",
  hint: "Set [vault] key_file, or run as a systemd service with LoadCredential=vault-key:/path/to/key.",
};
