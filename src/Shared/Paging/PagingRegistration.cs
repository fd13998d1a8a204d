using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Paging;

/// <summary>Registers the paging stage.</summary>
internal static class PagingRegistration
{
    /// <summary>Registers cursors that clients cannot read, change or pass on.</summary>
    public static WebApplicationBuilder AddPaging(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(provider => new Cursors(provider.GetRequiredService<State.IKeyRing>()));
        return builder;
    }
}
