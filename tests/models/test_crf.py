"""The dense CRF: loops and enumeration on tiny grids, exact against lattice, the authors' code, properties."""

import itertools
import math

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor.models.crf import MeanField, NormalizedFilter, dense_crf, pixel_features, unary
from segtutor.models.crf_exact import ExactFilter
from segtutor.models.crf_lattice import LatticeFilter

SETTINGS = {"gaussian_sigma": 2, "bilateral_sigma_xy": 12, "bilateral_sigma_rgb": 20, "bilateral_weight": 5}


def picture(height=30, width=40, seed=0):
    """A smooth two-colored picture with noise, and noisy probabilities of three labels."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    disc = ((rows - height / 2) ** 2 + (columns - width / 2) ** 2).sqrt() < min(height, width) / 3
    image = torch.where(disc, 180, 70) + 8 * torch.randn(3, height, width, generator=generator)
    logits = torch.randn(3, height, width, generator=generator)
    logits[1] += 1.5 * disc
    logits[0] += 1.5 * ~disc
    return logits.softmax(0), image.clamp(0, 255).to(torch.uint8)


def naive(probabilities, image, weights, sigmas, iterations, include_self=True):
    """The update of the module's header, one pair of pixels at a time, in Python numbers."""
    classes, height, width = probabilities.shape
    pixels = [(row, column) for row in range(height) for column in range(width)]
    color = image.double()

    def kernel(i, j, kind):
        (a, b), (c, d) = pixels[i], pixels[j]
        distance = (a - c) ** 2 + (b - d) ** 2
        if kind == 0:
            return math.exp(-distance / (2 * sigmas[0] ** 2))
        difference = float(((color[:, a, b] - color[:, c, d]) ** 2).sum())
        return math.exp(-distance / (2 * sigmas[1] ** 2) - difference / (2 * sigmas[2] ** 2))

    count = len(pixels)
    kernels = []
    for kind in (0, 1):
        raw = [[kernel(i, j, kind) if i != j or include_self else 0.0 for j in range(count)] for i in range(count)]
        norm = [1 / math.sqrt(sum(row)) for row in raw]
        kernels.append([[norm[i] * raw[i][j] * norm[j] for j in range(count)] for i in range(count)])
    start = [[float(probabilities[label, row, column]) for label in range(classes)] for row, column in pixels]
    q = [list(row) for row in start]
    for _ in range(iterations):
        new = []
        for i in range(count):
            score = [math.log(start[i][label]) for label in range(classes)]
            for weight, table in zip(weights, kernels, strict=True):
                for j in range(count):
                    for label in range(classes):
                        score[label] += weight * table[i][j] * q[j][label]
            top = max(score)
            exponents = [math.exp(value - top) for value in score]
            new.append([value / sum(exponents) for value in exponents])
        q = new
    return torch.tensor(q).T.reshape(classes, height, width)


@pytest.mark.parametrize("include_self", [True, False])
def test_equals_loops_over_pairs(include_self):
    probabilities, image = picture(4, 5)
    ours = dense_crf(
        probabilities, image, 3, gaussian_sigma=2, gaussian_weight=3, bilateral_sigma_xy=4, bilateral_sigma_rgb=30,
        bilateral_weight=4, method="exact", include_self=include_self,
    )  # fmt: skip
    assert torch.allclose(ours, naive(probabilities, image, (3, 4), (2, 4, 30), 3, include_self).float(), atol=1e-6)


def test_two_pixels_by_hand():
    """Two equal pixels one apart: K = [[1, k], [k, 1]], k = exp(-1/2), each row sums to 1 + k."""
    probabilities = torch.tensor([[[0.9, 0.4]], [[0.1, 0.6]]])
    image = torch.zeros(3, 1, 2, dtype=torch.uint8)
    near = math.exp(-0.5)
    message = [(0.9 + near * 0.4) / (1 + near), (0.4 + near * 0.9) / (1 + near)]
    odds = [0.9 / 0.1 * math.exp(2 * (2 * message[0] - 1)), 0.4 / 0.6 * math.exp(2 * (2 * message[1] - 1))]
    ours = dense_crf(probabilities, image, 1, gaussian_sigma=1, gaussian_weight=2, bilateral_weight=0)
    assert ours[0, 0].tolist() == pytest.approx([odd / (1 + odd) for odd in odds], abs=1e-6)


def enumerate_posterior(energies, coupling):
    """Every labeling of N pixels with its probability, for P(x) ~ exp(-U + sum_{i<j} coupling_ij [x_i = x_j])."""
    count, classes = energies.shape
    labelings = list(itertools.product(range(classes), repeat=count))
    scores = []
    for labeling in labelings:
        score = -sum(float(energies[i, label]) for i, label in enumerate(labeling))
        for i, j in itertools.combinations(range(count), 2):
            score += float(coupling[i, j]) * (labeling[i] == labeling[j])
        scores.append(score)
    log_partition = torch.logsumexp(torch.tensor(scores, dtype=torch.float64), 0)
    return labelings, torch.tensor(scores, dtype=torch.float64) - log_partition, float(log_partition)


def tiny_field(weight):
    probabilities, image = picture(2, 3, seed=4)
    probabilities = probabilities[:2] / probabilities[:2].sum(0)
    kernel = NormalizedFilter(ExactFilter(pixel_features(image, 2.0, 40.0)), "symmetric", include_self=False)
    field = MeanField(unary(probabilities).double(), [(weight, kernel)])
    return field, weight * kernel(torch.eye(6, dtype=torch.float64))


def test_free_energy_is_the_divergence_from_the_enumerated_posterior():
    field, coupling = tiny_field(3.0)
    labelings, log_posterior, log_partition = enumerate_posterior(field.unary, coupling)
    for _ in range(4):
        q = field.probabilities
        log_q = torch.tensor([sum(math.log(q[i, label]) for i, label in enumerate(labeling)) for labeling in labelings])
        divergence = float((log_q.exp() * (log_q - log_posterior)).sum())
        assert divergence >= 0
        assert field.free_energy() + log_partition == pytest.approx(divergence, abs=1e-5)
        field.step()


def test_marginals_agree_with_enumeration_where_pixels_hardly_interact():
    field, coupling = tiny_field(0.2)
    for _ in range(30):
        field.step()
    labelings, log_posterior, _ = enumerate_posterior(field.unary, coupling)
    marginals = torch.zeros(6, 2, dtype=torch.float64)
    for labeling, probability in zip(labelings, log_posterior.exp(), strict=True):
        for pixel, label in enumerate(labeling):
            marginals[pixel, label] += probability
    before = (torch.softmax(-field.unary, 1) - marginals).abs().max()
    after = (field.probabilities - marginals).abs().max()
    assert after < 0.003
    assert after < before / 5


def test_the_fixed_point_is_one():
    field, _ = tiny_field(1.0)
    for _ in range(200):
        field.step()
    still = field.probabilities.clone()
    assert torch.allclose(field.step(), still, atol=1e-12)


def test_free_energy_falls():
    probabilities, image = picture()
    features = pixel_features(image, 12, 20)
    field = MeanField(unary(probabilities), [(5.0, NormalizedFilter(LatticeFilter(features), "symmetric", True))])
    energies = [field.free_energy()]
    for _ in range(5):
        field.step()
        energies.append(field.free_energy())
    assert energies == sorted(energies, reverse=True)
    assert energies[0] - energies[-1] > 100


@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize(("dimension", "reach"), [(2, 6.0), (3, 5.0), (5, 3.0)])
def test_lattice_filters_nearly_like_the_definition(dimension, reach, fine):
    generator = torch.Generator().manual_seed(dimension)
    features = torch.rand(1500, dimension, generator=generator) * reach
    values = torch.rand(1500, 3, generator=generator)
    exact, lattice = ExactFilter(features), LatticeFilter(features, fine)
    one = torch.ones(1500, 1)
    error = (lattice(values) / lattice(one) - exact(values) / exact(one)).abs()
    # The values spread over 0.29; a filter that did nothing would be off by about that much.
    assert error.mean() < 0.02
    ratio = lattice(one) / exact(one)
    assert ratio.std() / ratio.mean() < 0.35


def test_fine_is_nearer_to_exact():
    for seed in range(3):
        probabilities, image = picture(40, 50, seed)
        exact, reference, fine = (
            dense_crf(probabilities, image, 5, **SETTINGS, method=method, quality=quality)
            for method, quality in (("exact", "reference"), ("lattice", "reference"), ("lattice", "fine"))
        )
        assert (fine - exact).abs().mean() < (reference - exact).abs().mean()
        assert (reference.argmax(0) == exact.argmax(0)).float().mean() > 0.97


@pytest.mark.parametrize("fine", [False, True])
def test_lattice_adjoint_and_impulse(fine):
    _, image = picture(12, 15)
    lattice = LatticeFilter(pixel_features(image, 4, 60), fine)
    matrix = lattice.splat_blur_slice(torch.eye(180))
    assert torch.allclose(lattice.adjoint(torch.eye(180)), matrix.T, atol=1e-5)
    scaled = lattice.scaled(torch.rand(180), torch.rand(180))
    forward, backward = scaled.splat_blur_slice(torch.eye(180)), scaled.adjoint(torch.eye(180))
    assert torch.allclose(backward, forward.T, atol=1e-5)


def test_own_vote_of_the_lattice():
    """Where all neighbors exist, the closed form is the diagonal of the filter's matrix."""
    features = torch.cartesian_prod(torch.arange(40) * 0.2, torch.arange(40) * 0.2)
    inside = ((features - 3.9).abs() < 0.5).all(1).nonzero()[:, 0]
    lattice = LatticeFilter(features, fine=True)
    impulses = torch.zeros(1600, len(inside)).index_put_((inside, torch.arange(len(inside))), torch.ones(()))
    response = lattice(impulses)[inside, torch.arange(len(inside))]
    assert torch.allclose(response, lattice.diagonal()[inside], rtol=1e-4)


def peer(probabilities, image, settings, normalization="NORMALIZE_SYMMETRIC", swap=False):
    """The authors' code, through the package that still builds."""
    densecrf = pytest.importorskip("pydensecrf.densecrf", reason="pydensecrf2 is not installed (extra: bench)")
    from pydensecrf.utils import create_pairwise_bilateral, create_pairwise_gaussian

    classes, height, width = probabilities.shape
    kind = getattr(densecrf, normalization)
    field = densecrf.DenseCRF2D(width, height, classes)
    field.setUnaryEnergy(np.ascontiguousarray(-np.log(probabilities.flatten(1).numpy())))
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    near, far, color = (settings[name] for name in ("gaussian_sigma", "bilateral_sigma_xy", "bilateral_sigma_rgb"))
    if swap:
        shape = (height, width)
        field.addPairwiseEnergy(create_pairwise_gaussian((near, near), shape), 3, normalization=kind)
        field.addPairwiseEnergy(create_pairwise_bilateral((far, far), (color,) * 3, pixels, 2), 5, normalization=kind)
    else:
        field.addPairwiseGaussian(near, 3, normalization=kind)
        field.addPairwiseBilateral(far, color, pixels, 5, normalization=kind)
    return torch.tensor(np.array(field.inference(10))).reshape(classes, height, width)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("symmetric", "NORMALIZE_SYMMETRIC"), ("before", "NORMALIZE_BEFORE"), ("after", "NORMALIZE_AFTER")],
)
@pytest.mark.parametrize("order", ["xy", "yx"])
def test_equals_the_authors_code(ours, theirs, order):
    probabilities, image = picture(61, 83, seed=1)
    wanted = peer(probabilities, image, SETTINGS, theirs, swap=order == "yx")
    got = dense_crf(
        probabilities, image, **SETTINGS, method="lattice", normalization=ours, feature_order=order
    )  # fmt: skip
    assert (got - wanted).abs().max() < 1e-4
    assert (got.argmax(0) == wanted.argmax(0)).float().mean() >= 0.9999


@pytest.mark.parametrize("method", ["exact", "lattice"])
def test_gradients(method):
    probabilities, image = picture(4, 5, seed=2)
    logits = probabilities.double().log().requires_grad_()
    weights = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (1.5, 2.0)]

    def refine(logits, near, far):
        return dense_crf(
            logits.softmax(0), image, 2, gaussian_sigma=2, bilateral_sigma_xy=4, bilateral_sigma_rgb=40,
            gaussian_weight=near, bilateral_weight=far, method=method, normalization="after",
        )  # fmt: skip

    assert torch.autograd.gradcheck(refine, (logits, *weights), atol=1e-4)


@pytest.mark.parametrize("method", ["exact", "lattice"])
def test_permuted_labels_permute_the_result(method):
    probabilities, image = picture(20, 25)
    order = [2, 0, 1]
    assert torch.allclose(
        dense_crf(probabilities[order], image, method=method), dense_crf(probabilities, image, method=method)[order]
    )


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1), (7, 12)])
@pytest.mark.parametrize("method", ["exact", "lattice"])
def test_any_size(height, width, method):
    probabilities, image = picture(height, width)
    refined = dense_crf(probabilities, image, method=method)
    assert refined.shape == (3, height, width)
    assert torch.allclose(refined.sum(0), torch.ones(height, width), atol=1e-5)


def test_height_and_width_are_not_mixed_up():
    probabilities, image = picture(20, 31)
    turned = dense_crf(probabilities.mT.contiguous(), image.mT.contiguous(), method="exact")
    assert torch.allclose(turned.mT, dense_crf(probabilities, image, method="exact"), atol=1e-5)


def test_what_must_not_change():
    probabilities, image = picture(10, 12)
    assert torch.allclose(dense_crf(probabilities, image, iterations=0), probabilities, atol=1e-6)
    assert torch.allclose(dense_crf(probabilities, image, gaussian_weight=0, bilateral_weight=0), probabilities)
    only = torch.ones(1, 10, 12)
    assert torch.allclose(dense_crf(only, image), only)
    same = torch.full((3, 10, 12), 1 / 3)
    assert torch.allclose(dense_crf(same, torch.zeros_like(image)), same, atol=1e-6)


def test_it_follows_the_edges_of_the_image():
    probabilities, image = picture(40, 50, seed=3)
    truth = (image[0] > 125).long()
    refined = dense_crf(probabilities, image, **SETTINGS)
    before, after = ((p.argmax(0) == truth).float().mean() for p in (probabilities, refined))
    assert before < 0.8
    assert after > 0.98


def test_a_batch_is_its_images():
    pairs = [picture(12, 14, seed) for seed in range(2)]
    batch = dense_crf(torch.stack([p for p, _ in pairs]), torch.stack([i for _, i in pairs]))
    for one, (probabilities, image) in zip(batch, pairs, strict=True):
        assert torch.equal(one, dense_crf(probabilities, image))


def test_arrays_for_arrays():
    probabilities, image = picture(12, 14)
    array = dense_crf(probabilities.numpy(), image.permute(1, 2, 0).numpy())
    assert isinstance(array, np.ndarray)
    assert np.array_equal(array, dense_crf(probabilities, image).numpy())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_same_on_cuda():
    probabilities, image = picture(61, 83)
    on_gpu = dense_crf(probabilities.cuda(), image.cuda(), method="lattice").cpu()
    assert torch.allclose(on_gpu, dense_crf(probabilities, image, method="lattice"), atol=1e-4)


GOOD, IMAGE = picture(6, 7)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"probabilities": GOOD * 2}, "sums are off 1 by up to 1"),
        ({"probabilities": GOOD.log()}, "give a softmax"),
        ({"probabilities": torch.where(GOOD.max() == GOOD, float("nan"), GOOD)}, "1 of the probabilities are NaN"),
        ({"probabilities": GOOD.argmax(0)}, "must be floats"),
        ({"image": IMAGE / 255}, "wants uint8"),
        ({"image": IMAGE[:, :5]}, r"must be \(1, 3, 6, 7\)"),
        ({"gaussian_sigma": 0}, "set its weight to 0"),
        ({"bilateral_sigma_rgb": -1}, "must be above 0"),
        ({"bilateral_sigma_rgb": 1e-8, "method": "lattice"}, "spread too wide"),
        ({"method": "fast"}, "one of auto, exact, lattice"),
        ({"quality": "best"}, "one of reference, fine"),
        ({"normalization": "sum"}, "one of symmetric"),
        ({"feature_order": "rc"}, "one of xy, yx"),
        ({"iterations": -1}, "at least 0"),
    ],
)
def test_bad_input(changed, told):
    with pytest.raises(ValueError, match=told):
        dense_crf(**{"probabilities": GOOD, "image": IMAGE, **changed})


def test_too_many_pixels_for_all_pairs():
    probabilities, image = picture(101, 100)
    with pytest.raises(ValueError, match=r"10100 pixels are too many .* method=\"lattice\""):
        dense_crf(probabilities, image, method="exact")


class TestInputs:
    """What networks and people give: 16 bits, mirrored arrays, pictures, gradients, one channel of a sigmoid."""

    PIXELS = np.random.default_rng(0).integers(0, 256, (12, 15, 3), dtype=np.uint8)

    def probabilities(self, classes=21):
        scores = torch.randn(classes, 12, 15, generator=torch.Generator().manual_seed(0)) * 3
        return scores.softmax(0)

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    @pytest.mark.parametrize("classes", [2, 21, 150])
    def test_sixteen_bits(self, dtype, classes):
        given = self.probabilities(classes).to(dtype)
        refined, expected = dense_crf(given, self.PIXELS), dense_crf(self.probabilities(classes), self.PIXELS)
        assert refined.dtype == torch.float32
        assert (refined.argmax(0) == expected.argmax(0)).float().mean() > 0.98
        scores = torch.randn(classes, 12, 15, generator=torch.Generator().manual_seed(1)).mul(3).to(dtype)
        assert dense_crf(scores.softmax(0), self.PIXELS).shape == (classes, 12, 15)

    def test_logits_in_sixteen_bits_are_still_refused(self):
        with pytest.raises(ValueError, match="give a softmax"):
            dense_crf((self.probabilities() * 1.05).bfloat16(), self.PIXELS)

    def test_mirrored_arrays(self):
        given = self.probabilities().numpy()
        mirrored = dense_crf(given[:, :, ::-1], self.PIXELS[:, ::-1])
        assert np.array_equal(mirrored, dense_crf(given[:, :, ::-1].copy(), self.PIXELS[:, ::-1].copy()))

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
    def test_pictures(self, mode):
        picture = Image.fromarray(self.PIXELS).convert(mode)
        expected = dense_crf(self.probabilities(), np.array(picture.convert("RGB")))
        assert torch.equal(dense_crf(self.probabilities(), picture), expected)

    def test_a_picture_of_other_numbers(self):
        with pytest.raises(ValueError, match=r"of mode F, but must be one of RGB"):
            dense_crf(self.probabilities(), Image.new("F", (15, 12)))

    def test_weights_that_want_a_gradient_with_arrays(self):
        weight = torch.tensor(3.0, requires_grad=True)
        given = self.probabilities().numpy()
        assert np.allclose(dense_crf(given, self.PIXELS, gaussian_weight=weight), dense_crf(given, self.PIXELS))

    def test_one_channel_of_a_sigmoid(self):
        one = self.probabilities()[:1]
        with pytest.raises(ValueError, match=r"stack 1 - p and p, torch\.cat\(\[1 - p, p\], dim=-3\)"):
            dense_crf(one, self.PIXELS)
        assert dense_crf(torch.cat([1 - one, one], dim=-3), self.PIXELS).shape == (2, 12, 15)

    @pytest.mark.parametrize("as_array", [False, True])
    def test_axes_in_another_order(self, as_array):
        probabilities, image = torch.full((4, 5, 2), 0.5), torch.zeros(4, 5, 3, dtype=torch.uint8)
        give = (lambda tensor: tensor.numpy()) if as_array else (lambda tensor: tensor)
        with pytest.raises(ValueError, match=r"the probabilities have their classes last, H x W x K: .*moveaxis"):
            dense_crf(give(probabilities), give(image))
        with pytest.raises(ValueError, match="the probabilities have their classes last"):
            dense_crf(give(probabilities), give(image.permute(2, 0, 1)))
        if not as_array:  # an array of H x W x 3 is taken
            with pytest.raises(ValueError, match="the image has its colors last"):
                dense_crf(probabilities.permute(2, 0, 1), image)

    def test_parts_of_a_step(self):
        with pytest.raises(ValueError, match=r"iterations is 2\.5, but must be a whole number"):
            dense_crf(self.probabilities(), self.PIXELS, iterations=2.5)
        expected = dense_crf(self.probabilities(), self.PIXELS, iterations=2)
        assert torch.equal(dense_crf(self.probabilities(), self.PIXELS, iterations=np.int64(2)), expected)

    def test_scores_beyond_what_exp_can_hold(self):
        """Weights so large that the plain quotient of exponentials would be NaN."""
        refined = dense_crf(self.probabilities(), self.PIXELS, gaussian_weight=2000, iterations=3)
        assert torch.isfinite(refined).all()
        assert torch.allclose(refined.sum(0), torch.ones(12, 15))
