/** Under this name is counted what nobody can tell the sender of. */
export const NO_SOURCE = "listener";
