// The questions behind the example button.

export const sampleQuestions = [
  {
    title: "pandas: keep only the newest row per customer",
    body: 'I have a DataFrame of orders and need one row per customer, the newest, with all its columns.\n\n    df.groupby("customer")["date"].max()\n\ngives me the dates but loses the amounts. Is there a more direct way in Python?\n',
  },
  {
    title: "How do I center a div inside another div?",
    body: "I tried automatic margins:\n\n    .parent { display: flex; }\n    .child  { margin: auto; }\n\nThe inner box is centered from left to right, but it sticks to the top.\n",
  },
  {
    title: "Undo the last git commit but keep my changes",
    body: "I committed to the wrong branch and have not pushed yet.\n\n    git reset --hard HEAD~1\n\nwould delete my work, I think. How do I move the commit to another branch?\n",
  },
];
