import { connect } from "node:net";

/** Sends one signed webhook on a connection of its own. Returns when its 202 was here, by this process's clock in ms. */
export function sendOne(request, address) {
  return new Promise((resolve, reject) => {
    const [host, port] = address.split(":");
    const socket = connect({ host, port: Number(port), noDelay: true }, () => socket.write(request));
    socket.setEncoding("latin1").once("error", reject);
    socket.once("data", (answer) => {
      const at = performance.now();
      socket.destroy();
      if (answer.startsWith("HTTP/1.1 202")) resolve(at);
      else reject(new Error(`the webhook was answered with ${answer.slice(9, 12)}`));
    });
  });
}
