using System.Text;

namespace Bff.Dev.Upstreams.Data;

/// <summary>Sentences for descriptions and reviews, long enough to give bodies a realistic size.</summary>
internal static class Text
{
    private static readonly string[] Selling =
    [
        "Built for long days outside, it stays light on the way up and steady on the way down.",
        "The outer fabric is woven in northern Italy from recycled yarn and finished without fluorocarbons.",
        "Every seam is taped by hand, and every zip can be replaced without special tools.",
        "We tested it for two winters on the coast of Norway, where rain mostly arrives sideways.",
        "A generous cut leaves room for a warm layer, yet nothing flaps in the wind.",
        "It packs down to the size of a water bottle and dries overnight on a hook.",
        "The grip pattern was drawn with mountain runners who cross wet granite before breakfast.",
        "Repairs are free for five years; send it in, and it comes back within ten working days.",
        "The lining is brushed on the inside, so it feels dry even when the day has not been.",
        "Reflective threads catch headlights from 150 metres and disappear in daylight.",
        "Made in small batches by a family workshop that has sewn for climbers since 1974.",
        "Adjust it with one hand, gloves on, without taking your eyes off the path.",
        "Certified to bluesign® and Oeko-Tex® Standard 100; the full list of materials is in the box.",
        "Pair it with the matching cover for temperatures below −10 °C.",
    ];

    private static readonly string[] Telling =
    [
        "I bought this in spring and have used it almost every weekend since.",
        "Size is true to the chart; between two sizes I took the larger one and do not regret it.",
        "After about 400 km there is some wear at the edges, but nothing that worries me.",
        "Delivery took three days, and the packaging was just a paper bag, which I liked.",
        "My previous one was from another brand & lasted half as long.",
        "It was pouring for six hours straight and I stayed dry, except for my own fault with the zip.",
        "The colour is a little darker than in the pictures – closer to slate than to grey.",
        "Customer service answered within a day and sent the missing strap for free.",
        "For the price I expected a better finish on the inside.",
        "My daughter has \"borrowed\" it twice already, so I am ordering a second one.",
        "Not the lightest on the market, but the most comfortable that I have tried so far.",
        "The buckle squeaks when it is cold; a drop of oil fixed that.",
        "Würde ich wieder kaufen, keine Frage.",
        "Would I recommend it? Yes, with the small reservations above.",
    ];

    /// <summary>Returns between 500 and 1500 characters.</summary>
    public static string Description(ref Dice dice, string opening) => Sentences(ref dice, opening, Selling, dice.Roll(520, 1380));

    public static string Review(ref Dice dice) => Sentences(ref dice, dice.Pick<string>(Telling), Telling, dice.Roll(250, 900));

    private static string Sentences(ref Dice dice, string opening, string[] pool, int length)
    {
        var text = new StringBuilder(opening);
        for (var at = dice.Roll(0, pool.Length - 1); text.Length < length; at++)
            text.Append(' ').Append(pool[at % pool.Length]);
        return text.ToString();
    }
}
