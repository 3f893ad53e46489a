// Runs one tracker as an application would: node run.js CLIENT SCENARIO URL KEY.
//
//   calls  each of the client's calls once
//   views  as many product views as the next line of standard input says, until its end
//
// On standard output it says, a line each: "> " a request is on its way, "! why" calls are
// lost, "= n" the n calls so far are delivered or lost. CLOCK_SHIFT_MS puts the clock wrong.
const shift = Number(process.env.CLOCK_SHIFT_MS || 0);
if (shift) {
  const Right = Date;
  globalThis.Date = class extends Right {
    constructor(...at) { super(...(at.length ? at : [Right.now() + shift])); }
    static now() { return Right.now() + shift; }
  };
}
const channel = require("node:diagnostics_channel"); // Node's own ear on both of its HTTP clients
channel.subscribe("http.client.request.start", () => console.log("> http"));
channel.subscribe("undici:request:bodySent", () => console.log("> fetch"));

const [, , name, scenario, url, key] = process.argv;
let made = 0, settled = 0;
const told = (err, calls = 1) => {
  settled += calls;
  if (err) console.log("! " + (err.reason || err));
};
const client = require("./" + name + ".js")({ url, key, told });

const until = (ok) => new Promise((resolve) => {
  const timer = setInterval(() => {
    if (ok()) { clearInterval(timer); resolve(); } else if (client.push) client.push();
  }, 20);
});

async function main() {
  if (scenario === "calls") {
    made += client.calls(new Date(Date.now() - 3600e3));
    await until(() => settled >= made);
    console.log("= " + settled);
  } else {
    for await (const line of require("node:readline").createInterface({ input: process.stdin })) {
      for (const end = made + Number(line); made < end; made++) {
        client.view("u-" + (made % 10), "item-" + Math.floor(made / 10));
      }
      await until(() => settled >= made);
      console.log("= " + settled);
    }
  }
  await client.close();
  process.exit(0);
}
main();
