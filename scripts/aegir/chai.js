import * as chaiModule from 'chai'
import asPromised from 'chai-as-promised'
import bites from 'chai-bites'
import parentheses from 'chai-parentheses'
import string from 'chai-string'
import subset from 'chai-subset'

const chai = chaiModule.default ?? chaiModule

// Each plugin wraps what those before it have added.
for (const plugin of [asPromised, parentheses, subset, bites, string]) {
  chai.use(plugin)
}

export const { assert, expect } = chai
