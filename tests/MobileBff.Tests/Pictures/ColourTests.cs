using NetVips;

namespace MobileBff.Tests.Pictures;

/// <summary>A converted picture keeps its look.</summary>
public sealed class ColourTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task Transparent_pixels_become_white_in_a_format_without_transparency()
    {
        await using var media = await StoredPictures.StartAsync();
        using var clear = Image.Black(320, 240, bands: 4).Copy(interpretation: Enums.Interpretation.Srgb);
        media.Files["/media/large/clear.png"] = (clear.PngsaveBuffer(), "image/png");
        var host = Start(new() { ["Upstreams:media:Address"] = media.Address });

        var response = await host.Get("/images/clear.png?w=160", user: null);

        Assert.Equal("image/jpeg", response.Content.Headers.ContentType?.MediaType);
        using var shown = Image.NewFromBuffer(await response.Content.ReadAsByteArrayAsync());
        Assert.InRange(shown.Avg(), 250, 255);
    }

    [Fact]
    public async Task Colours_of_another_space_are_converted_before_the_profile_is_removed()
    {
        await using var media = await StoredPictures.StartAsync();
        using var red = (Image.Black(320, 240, bands: 3) + new double[] { 200, 60, 60 })
            .Cast(Enums.BandFormat.Uchar)
            .Copy(interpretation: Enums.Interpretation.Srgb);
        using var wide = red.IccTransform("p3", inputProfile: "srgb");
        media.Files["/media/large/wide.jpg"] = (wide.JpegsaveBuffer(q: 100), "image/jpeg");
        var host = Start(new() { ["Upstreams:media:Address"] = media.Address });

        using var shown = Image.NewFromBuffer(await (await host.Get("/images/wide.jpg?w=160", user: null)).Content.ReadAsByteArrayAsync());

        var (stored, got) = (wide.Getpoint(10, 10), shown.Getpoint(10, 10));
        Assert.True(Math.Abs(stored[0] - 200) > 8, "The stored picture has other numbers for the same colour.");
        Assert.InRange(got[0], 196, 204);
        Assert.InRange(got[1], 54, 66);
    }
}
