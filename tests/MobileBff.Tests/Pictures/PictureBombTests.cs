using Microsoft.Extensions.DependencyInjection;
using MobileBff.Features.Pictures;

namespace MobileBff.Tests.Pictures;

/// <summary>Runs alone because it counts the allocations of the whole process.</summary>
[Collection(nameof(Alone))]
public sealed class PictureBombTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task A_picture_of_too_many_pixels_is_refused_before_it_is_decoded()
    {
        await using var stored = await StoredPictures.StartAsync();
        var bomb = StoredPictures.Png(20_000, 20_000);
        stored.Files["/media/large/bomb.png"] = (bomb, "image/png");
        var host = Start(new() { ["Upstreams:media:Address"] = stored.Address, ["Images:Decode"] = "true" });
        var before = GC.GetTotalAllocatedBytes();

        await Problem(await host.Get("/images/bomb.png?w=960", user: null), 502, "upstream_failed");

        Assert.Equal(0, host.Services.GetRequiredService<PictureStore>().Decoded);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 64 * 1024 * 1024);
    }
}
