#include "loadgen/zipf.h"

#include "loadgen/random.h"

#include <math.h>

/* (exp(x) - 1) / x and log(1 + x) / x, right near 0 too: the integral must survive skew = 1. */
static double expm1_over(double x)
{
	return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2;
}

static double log1p_over(double x)
{
	return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x / 2;
}

static double density(const struct zipf *z, double x)
{
	return exp(-z->skew * log(x));
}

static double integral(const struct zipf *z, double x)
{
	return expm1_over((1 - z->skew) * log(x)) * log(x);
}

static double integral_inverse(const struct zipf *z, double x)
{
	double t = fmax(x * (1 - z->skew), -1);

	return exp(log1p_over(t) * x);
}

void zipf_init(struct zipf *z, uint64_t n, double skew)
{
	*z = (struct zipf){.n = (double)n, .skew = skew};
	z->low = integral(z, 1.5) - 1;
	z->high = integral(z, z->n + 0.5);
	z->shortcut = 2 - integral_inverse(z, integral(z, 2.5) - density(z, 2));
}

uint64_t zipf_pick(const struct zipf *z, uint64_t *random)
{
	for (;;) {
		double u = z->high + random_share(random_next(random)) * (z->low - z->high);
		double x = integral_inverse(z, u);
		double k = fmin(fmax(floor(x + 0.5), 1), z->n);

		if (k - x <= z->shortcut || u >= integral(z, k + 0.5) - density(z, k))
			return (uint64_t)k - 1;
	}
}
