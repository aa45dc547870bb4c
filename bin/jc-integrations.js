#!/usr/bin/env node
// Starts the program. What needs no program to be answered was written down when it was built.
const answers = require("../dist/answers.json");

const [word, ...others] = process.argv.slice(2);
// It was written down for 80 columns.
const isNarrow = Number(process.stdout.columns ?? process.env.COLUMNS ?? 80) < 80;
if (others.length === 0 && !isNarrow && Object.hasOwn(answers, word ?? ""))
  process.stdout.write(answers[word]);
else {
  const loader = require("./load.js");
  loader.load("start.cjs").start(loader);
}
