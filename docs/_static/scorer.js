// The order of search results: a lesson that explains comes before an assignment that asks, and both before the package.
var Scorer = {
  score: ([page, title, anchor, description, score]) => {
    const lesson = /^notebooks\/\d\d/.test(page) ? 30 : 0;
    const assignment = /^notebooks\/assignments\//.test(page) ? 12 : 0;
    const glossary = /^notebooks\/glossary/.test(page) ? 20 : 0;
    return score + lesson + assignment + glossary;
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
