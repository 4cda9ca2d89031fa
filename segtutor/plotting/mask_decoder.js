// SAM's prompt encoder and mask decoder, for one picture and one prompt; see segtutor/models/sam. Maps and tokens are
// Float32Arrays of rows x channels, in the order in which the layers read them. Tests compare it with PyTorch.
const maskDecoder = (() => {
  // 16-bit numbers as they stand in the file of weights.
  const halves = (bits) => {
    const out = new Float32Array(bits.length);
    for (let k = 0; k < bits.length; k++) {
      const sign = bits[k] & 0x8000 ? -1 : 1, exponent = (bits[k] >> 10) & 31, rest = bits[k] & 1023;
      out[k] = sign * (exponent ? (1 + rest / 1024) * 2 ** (exponent - 15) : rest * 2 ** -24);
    }
    return out;
  };

  // Bytes from letters, four from five, as as_text in click_numbers.py writes them.
  const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#:%,()*+-;.=/?@^_[{|}]";
  const fromLetters = (text) => {
    const numbers = Uint8Array.from(text, (letter) => LETTERS.indexOf(letter));
    const out = new DataView(new ArrayBuffer(4 * Math.ceil(text.length / 5)));
    for (let k = 0; k < text.length; k += 5) {
      let number = 0;
      for (let d = 0; d < 5; d++) number = 85 * number + (k + d < text.length ? numbers[k + d] : 84);
      out.setUint32(4 * k / 5, number);
    }
    return new Uint8Array(out.buffer, 0, Math.floor(4 * text.length / 5));
  };

  // Arrays by their names, from bytes: a line of JSON that tells of each array its name, its length, and how many rows
  // have a step of their own; then all that has 16 bits, steps and arrays without any; then all levels.
  const unpack = (packed) => {
    let at = packed.indexOf(10) + 1;
    const arrays = JSON.parse(new TextDecoder().decode(packed.subarray(0, at)));
    const take = (count, Kind) => {
      const from = at;
      at += count * Kind.BYTES_PER_ELEMENT;
      return new Kind(packed.buffer.slice(packed.byteOffset + from, packed.byteOffset + at));
    };
    const numbers = arrays.map(([, length, rows]) => halves(take(rows || length, Uint16Array)));
    return Object.fromEntries(arrays.map(([name, length, rows], k) => [name, rows
      ? Float32Array.from(take(length, Int8Array), (level, at) => level * numbers[k][Math.floor(at * rows / length)])
      : numbers[k]]));
  };

  // Undoes "surprises" of click_numbers.py: adds to maps of height x width, in their place, what their neighbors foretell.
  const foretell = (levels, height, width) => {
    for (let from = 0; from < levels.length; from += height * width)
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
        const k = from + y * width + x;
        const left = x ? levels[k - 1] : 0, above = y ? levels[k - width] : 0;
        const sum = left + above - (x && y ? levels[k - width - 1] : 0);
        levels[k] += Math.max(Math.min(left, above), Math.min(Math.max(left, above), sum));  // 8 bits, round and round
      }
    return levels;
  };

  // An embedding as "answer" reads it, place by place, from bytes: the channels' steps, then the surprises of the
  // embedding's own channels, and of the finer map if there is one.
  const embedding = (packed, height, width, channels) => {
    const places = height * width, columns = packed.length / (places + 2), out = new Float32Array(places * columns);
    const steps = halves(new Uint16Array(packed.buffer.slice(packed.byteOffset, packed.byteOffset + 2 * columns)));
    const levels = new Int8Array(packed.buffer.slice(packed.byteOffset + 2 * columns));
    const coarse = foretell(levels.subarray(0, places * channels), height, width);
    for (let c = 0; c < channels; c++)
      for (let k = 0; k < places; k++) out[k * columns + c] = coarse[c * places + k] * steps[c];
    const fine = foretell(levels.subarray(places * channels), 2 * height, 2 * width);
    for (let k = 0; k < fine.length; k++) {
      const x = k % (2 * width), row = Math.floor(k / (2 * width)), y = row % (2 * height);
      const c = channels + 4 * Math.floor(row / (2 * height)) + 2 * (y & 1) + (x & 1);
      out[((y >> 1) * width + (x >> 1)) * columns + c] = fine[k] * steps[c];
    }
    return out;
  };

  // Rows x "ins" to rows x "outs"; the weight is outs x ins.
  const linear = (x, layer, relu = false) => {
    const {weight, bias} = layer, outs = bias.length, ins = weight.length / outs, rows = x.length / ins;
    const out = new Float32Array(rows * outs);
    for (let r = 0; r < rows; r++) {
      const from = r * ins;
      for (let o = 0; o < outs; o++) {
        let sum = bias[o];
        for (let i = 0, w = o * ins; i < ins; i++) sum += x[from + i] * weight[w + i];
        out[r * outs + o] = relu && sum < 0 ? 0 : sum;
      }
    }
    return out;
  };

  const add = (one, other) => {
    const out = new Float32Array(one.length), period = other.length;
    for (let k = 0; k < out.length; k++) out[k] = one[k] + other[k % period];
    return out;
  };

  const norm = (x, layer, epsilon) => {
    const {weight, bias} = layer, channels = bias.length, out = new Float32Array(x.length);
    for (let from = 0; from < x.length; from += channels) {
      let mean = 0, variance = 0;
      for (let c = 0; c < channels; c++) mean += x[from + c];
      mean /= channels;
      for (let c = 0; c < channels; c++) variance += (x[from + c] - mean) ** 2;
      const scale = 1 / Math.sqrt(variance / channels + epsilon);
      for (let c = 0; c < channels; c++) out[from + c] = (x[from + c] - mean) * scale * weight[c] + bias[c];
    }
    return out;
  };

  // 1 - erf for x >= 0, wrong by less than 1.2e-7 of it (Numerical Recipes, §6.2).
  const FIT = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277];
  const gelu = (x) => x.map((value) => {
    const z = Math.abs(value) / Math.SQRT2, t = 1 / (1 + z / 2);
    const tail = t * Math.exp(-z * z + FIT.reduceRight((sum, factor) => sum * t + factor, 0)) / 2;
    return value * (value < 0 ? tail : 1 - tail);
  });

  const attention = (layers, asking, answering, values, heads) => {
    const query = linear(asking, layers.query), key = linear(answering, layers.key), value = linear(values, layers.value);
    const channels = layers.query.bias.length, size = channels / heads, scale = 1 / Math.sqrt(size);
    const rows = query.length / channels, columns = key.length / channels;
    const mixed = new Float32Array(rows * channels), answers = new Float32Array(columns);
    for (let head = 0; head < heads; head++) {
      const at = head * size;
      for (let r = 0; r < rows; r++) {
        let largest = -Infinity, total = 0;
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          for (let d = 0; d < size; d++) sum += query[r * channels + at + d] * key[c * channels + at + d];
          answers[c] = sum * scale;
          if (answers[c] > largest) largest = answers[c];
        }
        for (let c = 0; c < columns; c++) total += answers[c] = Math.exp(answers[c] - largest);
        for (let c = 0; c < columns; c++) {
          const share = answers[c] / total;
          for (let d = 0; d < size; d++) mixed[r * channels + at + d] += share * value[c * channels + at + d];
        }
      }
    }
    return linear(mixed, layers.project);
  };

  // Twice the size, 2 x 2 and stride 2: each place becomes four. The weight is ins x outs x 2 x 2.
  const upscale = (x, layer, height, width) => {
    const {weight, bias} = layer, outs = bias.length, ins = weight.length / (4 * outs);
    const out = new Float32Array(4 * height * width * outs);
    for (let y = 0; y < height; y++) for (let at = 0; at < width; at++) {
      const from = (y * width + at) * ins;
      for (let corner = 0; corner < 4; corner++) {
        const to = ((2 * y + (corner >> 1)) * 2 * width + 2 * at + (corner & 1)) * outs;
        for (let o = 0; o < outs; o++) {
          let sum = bias[o];
          for (let i = 0; i < ins; i++) sum += x[from + i] * weight[(i * outs + o) * 4 + corner];
          out[to + o] = sum;
        }
      }
    }
    return out;
  };

  const join = (parts) => {
    const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) { out.set(part, at); at += part.length; }
    return out;
  };

  // arrays: as "unpack" gives them; frequencies are 2 x channels / 2.
  const create = (arrays, heads) => {
    const layer = (name) => ({weight: arrays[`${name}.weight`], bias: arrays[`${name}.bias`]});
    const layers = (name) => Object.fromEntries(
      ["query", "key", "value", "project"].map((part) => [part, layer(`${name}.${part}`)]));
    const P = "prompt_encoder.", D = "mask_decoder.", T = `${D}transformer.`;
    const frequencies = arrays[`${P}frequencies`], half = frequencies.length / 2, channels = 2 * half;
    let depth = 0, count = 0;
    while (arrays[`${T}blocks.${depth}.norm1.weight`]) depth++;
    while (arrays[`${D}vectors.${count}.0.weight`]) count++;

    // (x, y) from 0 to 1 to sines and cosines.
    const code = (x, y) => {
      const out = new Float32Array(channels);
      for (let k = 0; k < half; k++) {
        const angle = 2 * Math.PI * ((2 * x - 1) * frequencies[k] + (2 * y - 1) * frequencies[half + k]);
        out[k] = Math.sin(angle);
        out[half + k] = Math.cos(angle);
      }
      return out;
    };
    const three = (x, name) => linear(linear(linear(x, layer(`${name}.0`), true), layer(`${name}.2`), true),
      layer(`${name}.4`));

    // embedding: h w x channels, or twice as many: a map of twice the size, folded, see mask_decoder.py.
    // points: [x, y, label] in pixels; box: [x0, y0, x1, y1] or null; size: pixels.
    // Returns {masks: arrays of 4h x 4w logits, iou}: three for a lone click, else the single one.
    const answer = (embedding, height, width, size, points, box) => {
      const place = (x, y, kind) => add(code((x + 0.5) / size[1], (y + 0.5) / size[0]), arrays[`${P}kinds.${kind}`]);
      const tokens = points.map(([x, y, label]) => place(x, y, label));
      if (box) tokens.push(place(box[0], box[1], 2), place(box[2], box[3], 3));
      else if (points.length) tokens.push(arrays[`${P}no_point`]);
      const prompt = join([arrays[`${D}iou_token`], arrays[`${D}mask_tokens`], ...tokens]);
      const codes = new Float32Array(height * width * channels);
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++)
        codes.set(code((x + 0.5) / width, (y + 0.5) / height), (y * width + x) * channels);
      const columns = embedding.length / (height * width), coarse = new Float32Array(height * width * channels);
      for (let k = 0; k < height * width; k++)
        coarse.set(embedding.subarray(k * columns, k * columns + channels), k * channels);
      let places = add(coarse, arrays[`${P}no_mask`]), found = prompt;
      for (let k = 0; k < depth; k++) {
        const at = `${T}blocks.${k}.`, asked = k ? add(found, prompt) : found;
        const told = attention(layers(`${at}attention`), asked, asked, found, heads);
        found = norm(k ? add(found, told) : told, layer(`${at}norm1`), 1e-5);
        const map = add(places, codes);
        found = add(found, attention(layers(`${at}ask_map`), add(found, prompt), map, places, heads));
        found = norm(found, layer(`${at}norm2`), 1e-5);
        found = add(found, linear(linear(found, layer(`${at}mlp.0`), true), layer(`${at}mlp.2`)));
        found = norm(found, layer(`${at}norm3`), 1e-5);
        places = add(places, attention(layers(`${at}ask_tokens`), map, add(found, prompt), found, heads));
        places = norm(places, layer(`${at}norm4`), 1e-5);
      }
      const last = attention(layers(`${T}ask_map`), add(found, prompt), add(places, codes), places, heads);
      found = norm(add(found, last), layer(`${T}norm`), 1e-5);
      let pixels = upscale(places, layer(`${D}upscale.0`), height, width);
      const depth1 = pixels.length / (4 * height * width);
      if (columns > channels)
        for (let y = 0; y < 2 * height; y++) for (let x = 0; x < 2 * width; x++) for (let c = 0; c < depth1; c++)
          pixels[(y * 2 * width + x) * depth1 + c] +=
            embedding[((y >> 1) * width + (x >> 1)) * columns + channels + 4 * c + 2 * (y & 1) + (x & 1)];
      pixels = gelu(norm(pixels, layer(`${D}upscale.1`), 1e-6));
      pixels = gelu(upscale(pixels, layer(`${D}upscale.3`), 2 * height, 2 * width));
      const token = (number) => found.subarray(number * channels, (number + 1) * channels);
      const iou = three(token(0), `${D}iou`), several = points.length === 1 && !box;
      const numbers = several ? Array.from({length: count - 1}, (_, k) => k + 1) : [0];
      const masks = numbers.map((number) => {
        const vector = three(token(1 + number), `${D}vectors.${number}`), depth = vector.length;
        const mask = new Float32Array(pixels.length / depth);
        for (let k = 0; k < mask.length; k++)
          for (let d = 0; d < depth; d++) mask[k] += pixels[k * depth + d] * vector[d];
        return mask;
      });
      return {masks, iou: numbers.map((number) => iou[number])};
    };
    return {answer, channels};
  };
  return {create, unpack, embedding, halves, fromLetters};
})();
if (typeof module !== "undefined") module.exports = maskDecoder;
