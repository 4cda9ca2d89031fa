// The order of search results: the lesson that says a word most often, then the other lessons, the glossary, the
// assignments, and the rest.
const MOST_OFTEN = {};
const ASKED = (new URLSearchParams(window.location.search).get("q") || "").toLowerCase().match(/\w+/g) || [];
var Scorer = {
  score: ([page, title, anchor, description, score]) => {
    const first = ASKED.some((word) => MOST_OFTEN[word] === page) ? 60 : 0;
    const lesson = /^notebooks\/\d\d/.test(page) ? 30 : 0;
    const glossary = /^notebooks\/glossary/.test(page) ? 20 : 0;
    const assignment = /^notebooks\/assignments\//.test(page) ? 12 : 0;
    return score + first + lesson + glossary + assignment;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
