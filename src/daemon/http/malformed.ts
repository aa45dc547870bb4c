import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Answering } from "./connections.ts";

/** By Node's code of what it met; anything else is 400. */
const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers what is no HTTP as Node itself would, and tells of it, with the answer under way on its connection, if any. A
 * connection that breaks or comes to no end is not told.
 */
export function answerMalformed(
  server: Server,
  answering: Answering,
  onMalformed: (response: ServerResponse | undefined) => void,
): void {
  server.on("clientError", (error: Error & { code?: string }, socket: Duplex) => {
    const code = error.code ?? "";
    const response = answering(socket);
    if (code.startsWith("HPE_")) onMalformed(response);
    const status = STATUS_OF[code] ?? 400;
    if (socket.writable && !response?.headersSent)
      socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
    socket.destroy(error);
  });
}
