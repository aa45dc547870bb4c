// Loaded into the service by a test: hangs its main loop, or the store's thread, when the test says so.
const { existsSync, readFileSync, rmSync } = require("node:fs");
const { isMainThread, workerData } = require("node:worker_threads");

const TURN = "/run/jc-test/turn";
const WAIT = "/run/jc-test/wait";

function turnInCircles() {
  for (;;);
}

if (isMainThread) process.on("SIGUSR2", turnInCircles);
// The log's thread, and no other.
else if (workerData?.staysUp)
  setInterval(() => {
    if (existsSync(TURN)) {
      rmSync(TURN);
      turnInCircles();
    }
    // A pipe that nobody writes into, as a disk that does not answer.
    if (existsSync(WAIT)) readFileSync(WAIT);
  }, 50).unref();
