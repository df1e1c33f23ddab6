"use strict";
(async () => {
  const base = new URL(".", location.href);
  const $ = id => document.getElementById(id);

  // make is an element with properties and children. Texts are texts, never HTML.
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
    return element;
  };

  let spec;
  try {
    const reply = await fetch(new URL("openapi.json", base));
    if (!reply.ok) throw new Error("status " + reply.status);
    spec = await reply.json();
  } catch (error) {
    $("state").textContent = "openapi.json cannot be read (" + error.message + "). Reload the page when the server runs.";
    return;
  }

  const resolve = node => {
    while (node && node.$ref) node = node.$ref.slice(2).split("/").reduce((at, key) => at[key], spec);
    return node;
  };
  const nameOf = node => node && node.$ref ? node.$ref.split("/").pop() : "";

  const typeOf = node => {
    const schema = resolve(node) || {};
    if (schema.oneOf) return schema.oneOf.map(typeOf).join(" or ");
    if (schema.type === "array") return "list of " + typeOf(schema.items);
    return (nameOf(node) && schema.properties ? nameOf(node) : schema.format === "binary" ? "file" : schema.type) || "any value";
  };

  const limitsOf = schema => {
    const said = [];
    if (schema.enum) said.push("one of " + schema.enum.filter(value => value !== null && value !== "").join(", "));
    if (schema.minimum !== undefined) said.push("from " + schema.minimum);
    if (schema.maximum !== undefined) said.push("to " + schema.maximum);
    if (schema.maxLength !== undefined) said.push("up to " + schema.maxLength + " characters");
    if (schema.nullable) said.push("or null");
    return said.join(" ");
  };

  // inner is the schema whose properties are shown under a node.
  const inner = node => {
    const schema = resolve(node) || {};
    if (schema.type === "array") return inner(schema.items);
    if (schema.oneOf) return schema.oneOf.map(inner).find(found => found) || null;
    return schema.properties ? schema : null;
  };

  const fields = (schema, depth) => make("ul", { className: "fields" }, ...Object.entries(schema.properties).map(([name, node]) => {
    const own = resolve(node), below = depth < 8 && inner(node);
    const needed = (schema.required || []).includes(name);
    const line = [make("code", {}, name), " ", make("span", { className: "type" }, typeOf(node), " ", limitsOf(own)),
      needed ? make("span", { className: "needed" }, " required") : null, own.description ? " " + own.description : null];
    if (!below) return make("li", {}, ...line);
    const details = make("details", {}, make("summary", {}, ...line));
    details.addEventListener("toggle", () => details.append(fields(below, depth + 1)), { once: true });
    return make("li", {}, details);
  }));

  const shape = node => {
    const below = inner(node), own = resolve(node);
    return make("div", {}, make("p", { className: "type" }, typeOf(node), own.description ? ": " + own.description : ""), below ? fields(below, 0) : null);
  };

  // sample is a value that a schema allows, of the fields that are required.
  const sample = node => {
    const schema = resolve(node) || {};
    if (schema.example !== undefined) return schema.example;
    if (schema.oneOf) return sample(schema.oneOf[0]);
    if (schema.enum) return schema.enum[0];
    switch (schema.type) {
      case "object": return Object.fromEntries((schema.required || []).map(name => [name, sample(schema.properties[name])]));
      case "array": return [sample(schema.items)];
      case "integer": case "number": return schema.minimum || 1;
      case "boolean": return false;
    }
    return "";
  };

  const quoted = text => "'" + text.replaceAll("'", "'\\''") + "'";

  const parametersOf = (item, operation) => [...(item.parameters || []), ...(operation.parameters || [])].map(resolve);

  // form is where a request is written, shown as curl, and sent.
  const form = (method, path, item, operation) => {
    const needsKey = !(operation.security && operation.security.length === 0);
    const inputs = parametersOf(item, operation).map(parameter => {
      const input = make("input", { name: parameter.name, required: !!parameter.required, autocomplete: "off", spellcheck: false,
        type: parameter.schema.type === "integer" ? "number" : "text" });
      return { parameter, input };
    });
    const content = operation.requestBody ? resolve(operation.requestBody).content : {};
    const json = content["application/json"], multipart = content["multipart/form-data"];
    let body = null, parts = [];
    if (json) {
      const example = JSON.stringify(json.example !== undefined ? json.example : sample(json.schema), null, 2);
      body = make("textarea", { name: "body", spellcheck: false, ...(multipart ? { placeholder: "instead: " + example } : { value: example }) });
      body.setAttribute("aria-label", "Body, JSON");
    }
    if (multipart) {
      parts = Object.entries(resolve(multipart.schema).properties).map(([name, node]) => ({
        name, input: make("input", typeOf(node).includes("file") ? { type: "file", multiple: true, name } : { type: "text", name, autocomplete: "off" }),
      })).sort((a, b) => (a.input.type === "file") - (b.input.type === "file")); // what is said of files stands before them
    }

    const address = () => {
      let filled = path;
      const query = new URLSearchParams(), headers = {};
      for (const { parameter, input } of inputs) {
        if (parameter.in === "path") filled = filled.replace("{" + parameter.name + "}", input.value === "" ? "{" + parameter.name + "}" : encodeURIComponent(input.value));
        else if (input.value === "") continue;
        else if (parameter.in === "header") headers[parameter.name] = input.value;
        else query.set(parameter.name, input.value);
      }
      const text = query.toString();
      return { url: new URL(filled.slice(1) + (text ? "?" + text : ""), base), headers };
    };
    // written says that the body is the one in JSON: where files may be sent too, only if there is one.
    const written = () => body && (!multipart || body.value.trim() !== "");
    const command = () => {
      const { url, headers } = address();
      const lines = ["curl -sS" + (body || multipart ? "N" : "") + (method === "GET" || body || multipart ? "" : " -X " + method) + " " + quoted(decodeURI(url.href))];
      if (needsKey) lines.push('-H "Authorization: Bearer $GROUNDED_KEY"');
      for (const [name, value] of Object.entries(headers)) lines.push("-H " + quoted(name + ": " + value));
      if (written()) lines.push("-H 'Content-Type: application/json'", "-d " + quoted(body.value));
      for (const { name, input } of written() ? [] : parts) {
        if (input.type === "file") lines.push(...(input.files.length ? [...input.files].map(file => "-F " + quoted(name + "=@" + file.name)) : ["-F " + name + "=@FILE"]));
        else if (input.value !== "") lines.push("-F " + quoted(name + "=" + input.value));
      }
      return lines.join(" \\\n  ");
    };

    const curl = make("pre", { className: "curl", tabIndex: 0 });
    const show = () => { curl.textContent = command(); };
    const send = make("button", { type: "submit" }, "Send"), stop = make("button", { type: "button", disabled: true }, "Stop");
    const state = make("span", {}), reply = make("pre", { className: "reply", hidden: true, tabIndex: 0 });
    state.setAttribute("role", "status");
    let running = null;
    stop.addEventListener("click", () => running && running.abort());

    const ask = async () => {
      const { url, headers } = address();
      if (needsKey && $("key").value.trim() !== "") headers.Authorization = "Bearer " + $("key").value.trim();
      let sent;
      if (body && body.value.trim() !== "") {
        headers["Content-Type"] = "application/json";
        sent = body.value;
      } else if (multipart) {
        sent = new FormData();
        for (const { name, input } of parts) {
          if (input.type === "file") [...input.files].forEach(file => sent.append(name, file));
          else if (input.value !== "") sent.append(name, input.value);
        }
      }
      const began = performance.now(), took = () => Math.round(performance.now() - began) + " ms";
      const answer = await fetch(url, { method, headers, body: sent, signal: running.signal, credentials: "omit", referrerPolicy: "no-referrer" });
      state.className = answer.ok ? "ok" : "failed";
      state.textContent = answer.status + " " + answer.statusText + " …";
      reply.hidden = false;
      let text = "";
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        reply.textContent = text;
      }
      if ((answer.headers.get("Content-Type") || "").includes("json")) {
        try { reply.textContent = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it is */ }
      }
      state.textContent = [answer.status, answer.statusText, took(), answer.headers.get("X-Request-Id")].filter(Boolean).join(" · ");
    };

    const element = make("form", {},
      ...inputs.map(({ parameter, input }) => make("p", { className: "row" }, make("label", {}, make("code", {}, parameter.name), input),
        make("span", { className: "type" }, parameter.in, " ", typeOf(parameter.schema), " ", limitsOf(resolve(parameter.schema))),
        parameter.required ? make("span", { className: "needed" }, "required") : null, parameter.description)),
      body,
      ...parts.map(({ name, input }) => make("p", { className: "row" }, make("label", {}, make("code", {}, name), input))),
      make("p", { className: "row" }, send, stop, state), reply,
      make("h3", {}, "With curl"), curl);
    element.addEventListener("input", show);
    element.addEventListener("submit", async event => {
      event.preventDefault();
      running = new AbortController();
      send.disabled = true;
      stop.disabled = false;
      state.className = "";
      state.textContent = "…";
      reply.hidden = true;
      reply.textContent = "";
      try {
        await ask();
      } catch (error) {
        state.className = "failed";
        state.textContent = error.name === "AbortError" ? "stopped" : "the server does not answer (" + error.message + ")";
      }
      send.disabled = false;
      stop.disabled = true;
    });
    show();
    return element;
  };

  const responses = operation => Object.entries(operation.responses).map(([status, node]) => {
    const response = resolve(node);
    return make("div", {}, make("p", {}, make("code", {}, status === "default" ? "error" : status), " ", response.description),
      ...Object.entries(response.content || {}).map(([type, media]) => make("details", {}, make("summary", { className: "type" }, type), shape(media.schema))));
  });

  const operations = [];
  const methods = ["get", "post", "put", "patch", "delete"];
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of methods.filter(method => item[method])) {
      const operation = item[method], upper = method.toUpperCase();
      const details = make("details", { className: "operation", id: operation.operationId },
        make("summary", {}, make("span", { className: "method " + upper }, upper), " ", make("span", { className: "path" }, path), make("span", { className: "about" }, operation.summary || "")));
      details.addEventListener("toggle", () => {
        const content = operation.requestBody && resolve(operation.requestBody).content;
        details.append(make("div", {}, operation.description ? make("p", {}, operation.description) : null,
          make("h3", {}, "Try it"), form(upper, path, item, operation),
          ...(content ? [make("h3", {}, "Request"), ...Object.entries(content).map(([type, media]) => make("div", {}, make("code", {}, type), shape(media.schema)))] : []),
          make("h3", {}, "Responses"), ...responses(operation)));
      }, { once: true });
      operations.push({ path, details, words: (upper + " " + path + " " + (operation.summary || "") + " " + operation.operationId).toLowerCase() });
    }
  }

  const groups = [["OpenAI's routes", path => path.startsWith("/v1/")], ["grounded's own", path => path.startsWith("/api/")], ["The server, and Dify", () => true]];
  const sections = groups.map(([title]) => make("section", {}, make("h2", {}, title)));
  for (const operation of operations) sections[groups.findIndex(([, has]) => has(operation.path))].append(operation.details);
  $("operations").replaceChildren(make("p", {}, spec.info.description || ""), ...sections);

  $("settings").addEventListener("submit", event => event.preventDefault());
  $("find").addEventListener("input", () => {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { details, words: own } of operations) details.hidden = !words.every(word => own.includes(word));
    for (const section of sections) section.hidden = [...section.querySelectorAll(".operation")].every(details => details.hidden);
  });
  const openNamed = () => {
    const details = $(decodeURIComponent(location.hash.slice(1)));
    if (details && details.className === "operation") {
      details.open = true;
      details.scrollIntoView();
    }
  };
  addEventListener("hashchange", openNamed);
  openNamed();
})();
